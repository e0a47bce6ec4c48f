import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { QmpClient } from '../../../src/qmp/client.ts';
import { startFake } from './support.ts';

test('1,000 connects and disconnects leave no descriptor, no listener and no timer behind', async (t) => {
  const fake = await startFake(t);
  const { signal } = new AbortController();
  const listeners = (): number => process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
  const round = async (): Promise<void> => {
    const client = await QmpClient.connect(fake.address, { signal });
    const events = client.events('STOP', { signal });
    await client.execute('query-status', {}, { signal });
    await client.close();
    assert.equal((await events.next()).done, true);
  };
  await round();
  await (await fake.connection()).closed;
  const before = { fds: openDescriptors(), listeners: listeners(), timers: activeTimers() };
  for (let n = 0; n < 1000; n += 1) await round();
  // The server's side of the last connection closes in a later turn of the event loop.
  await (await fake.connection(1000)).closed;
  assert.deepEqual({ fds: openDescriptors(), listeners: listeners(), timers: activeTimers() }, before);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('100 failed connects leave no descriptor behind either', async (t) => {
  const silent = await startFake(t, { greeting: 'nonsense\n' });
  await assert.rejects(QmpClient.connect(silent.address), { code: 'QEMU_QMP_PROTOCOL' });
  await (await silent.connection()).closed;
  const before = openDescriptors();
  for (let n = 0; n < 100; n += 1) {
    await assert.rejects(QmpClient.connect(silent.address), { code: 'QEMU_QMP_PROTOCOL' });
    await assert.rejects(QmpClient.connect({ kind: 'unix', path: '/nonexistent/qmp' }), { code: 'QEMU_QMP_CONNECT' });
  }
  await (await silent.connection(100)).closed;
  assert.equal(openDescriptors(), before);
});

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

function activeTimers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}
