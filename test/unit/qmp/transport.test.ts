import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { QmpClient } from '../../../src/qmp/client.ts';
import { FakeQmpServer } from '../../../src/testing/index.ts';
import { startFake } from './support.ts';

test('without retry a missing socket and a closed port fail at once, with a hint', async (t) => {
  await assert.rejects(QmpClient.connect({ kind: 'unix', path: '/nonexistent/qmp' }), {
    code: 'QEMU_QMP_CONNECT',
    message: 'Cannot connect to "unix:/nonexistent/qmp"',
    hint: /is the machine running/,
  });
  const fake = await startFake(t, { listen: 'tcp' });
  await fake.close();
  await assert.rejects(QmpClient.connect(fake.address), { code: 'QEMU_QMP_CONNECT', hint: /nothing listens there/ });
});

test('with retry a socket that appears later is connected to', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'retry-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'qmp');
  const connecting = QmpClient.connect({ kind: 'unix', path }, { retry: true });
  await new Promise((resolve) => setImmediate(resolve));
  await startFake(t, { listen: { path } });
  const client = await connecting;
  assert.equal((await client.execute('query-status')).status, 'prelaunch');
  await client.close();
});

test('with retry the deadline and the signal still hold', async () => {
  const nowhere = { kind: 'unix', path: '/nonexistent/qmp' } as const;
  await assert.rejects(QmpClient.connect(nowhere, { retry: true, timeoutMs: 30 }), {
    code: 'QEMU_TIMEOUT',
    message: /no connection within 30 ms/,
  });
  const stop = new AbortController();
  const aborted = assert.rejects(QmpClient.connect(nowhere, { retry: true, signal: stop.signal }), {
    code: 'QEMU_ABORTED',
  });
  stop.abort();
  await aborted;
});

test('a socket path of more than 107 bytes is refused with its length', async () => {
  await assert.rejects(QmpClient.connect({ kind: 'unix', path: `/${'é'.repeat(60)}` }), {
    code: 'QEMU_QMP_CONNECT',
    message: /at most 107 bytes, this one 121/,
  });
});

test('TCP works as unix sockets do', async (t) => {
  const fake = await startFake(t, { listen: 'tcp' });
  await using client = await QmpClient.connect(fake.address);
  assert.equal((await client.execute('query-status')).status, 'prelaunch');
});

test('a descriptor that is no socket is refused', async () => {
  await assert.rejects(QmpClient.connect({ kind: 'fd', fd: 9999 }), { code: 'QEMU_QMP_CONNECT' });
});

test('a stream that is destroyed already ends the connect at once', async (t) => {
  const fake = await FakeQmpServer.start();
  t.after(() => fake.close());
  const stream = fake.openStream();
  stream.destroy();
  await assert.rejects(QmpClient.connect({ kind: 'stream', stream }), { code: 'QEMU_QMP_CLOSED' });
});
