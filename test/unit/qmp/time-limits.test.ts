import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QmpClient } from '../../../src/qmp/client.ts';
import { openSessions } from '../../../src/qmp/sessions.ts';
import { NO_ANSWER } from '../../../src/testing/index.ts';
import { connectBySocket } from './support.ts';

for (const bad of [Number.NaN, -1, null, '100', true, Number.NEGATIVE_INFINITY]) {
  const timeoutMs = bad as number;
  test(`a time limit of ${JSON.stringify(bad)} (${String(bad)}) is refused before anything is done`, async (t) => {
    const { fake, client } = await connectBySocket(t);
    const sent = fake.calls.length;
    const refused = { code: 'QEMU_USAGE', message: /^timeoutMs must be a number of milliseconds/ };
    await assert.rejects(client.execute('query-status', undefined, { timeoutMs }), refused);
    await assert.rejects(client.hmp('info status', { timeoutMs }), refused);
    await assert.rejects(client.waitForEvent('STOP', undefined, { timeoutMs }), refused);
    await assert.rejects(QmpClient.connect(fake.address, { timeoutMs }), refused);
    await assert.rejects(openSessions(fake.address, { giveUpAfterMs: timeoutMs }).next(), { code: 'QEMU_USAGE' });
    assert.equal(fake.calls.length, sent);
  });
}

test('0 is a time limit that is over, Infinity none', async (t) => {
  const { client } = await connectBySocket(t, { commands: { 'query-block': () => NO_ANSWER } });
  await assert.rejects(client.execute('query-block', undefined, { timeoutMs: 0 }), { code: 'QEMU_TIMEOUT' });
  assert.equal((await client.execute('query-status', undefined, { timeoutMs: Infinity })).status, 'prelaunch');
});

for (const bad of [Number.NaN, -1, 0, 1.5, Infinity, null, '3']) {
  const count = bad as number;
  test(`a count of ${JSON.stringify(bad)} (${String(bad)}) is refused`, async (t) => {
    const { fake, client } = await connectBySocket(t);
    const refused = { code: 'QEMU_USAGE', message: /must be a whole number from/ };
    assert.throws(() => client.events('STOP', { limit: count }), refused);
    await assert.rejects(QmpClient.connect(fake.address, { maxLineBytes: count }), refused);
    if (bad !== 0) await assert.rejects(client.waitForEvent('STOP', undefined, { since: count }), refused);
  });
}
