import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QmpClient } from '../../../src/qmp/client.ts';
import { openSessions } from '../../../src/qmp/sessions.ts';
import { type FakeCommand, NO_ANSWER } from '../../../src/testing/index.ts';
import { connectBySocket, connectBytewise, startFake } from './support.ts';

const hangUp: FakeCommand = ({ connection }) => {
  connection.hangUp();
  return NO_ANSWER;
};
const reset: FakeCommand = ({ connection }) => {
  connection.reset();
  return NO_ANSWER;
};

for (const [how, quit] of [
  ['an answer', undefined],
  ['the end of the stream alone', hangUp],
  ['a reset', reset],
] as const) {
  test(`L1 quit is done when it gets ${how}`, async (t) => {
    const { client } = await connectBySocket(t, quit === undefined ? {} : { commands: { quit } });
    assert.deepEqual(await client.execute('quit'), {});
    assert.equal((await client.closed).kind, 'quit');
  });
}

test('L1 quit of the human monitor is done when the connection ends', async (t) => {
  const { client } = await connectBytewise(t, { commands: { 'human-monitor-command': hangUp } });
  assert.equal(await client.hmp('quit'), '');
  assert.equal((await client.closed).kind, 'quit');
});

test('L2 commands after quit are rejected when the connection ends', async (t) => {
  const { client } = await connectBytewise(t, {
    commands: {
      quit: () => NO_ANSWER,
      last: hangUp,
    },
  });
  const quit = client.execute('quit');
  const after = client.executeRaw('last');
  await assert.rejects(after, { code: 'QEMU_QMP_CLOSED' });
  assert.deepEqual(await quit, {});
});

test('L3 every pending command is rejected once when the connection ends, and later ones at once', async (t) => {
  const { fake, client } = await connectBytewise(t, { commands: { wait: () => NO_ANSWER } });
  const pending = Array.from({ length: 20 }, () => client.executeRaw('wait', {}, { timeoutMs: Infinity }));
  (await fake.connection()).reset();
  for (const result of await Promise.allSettled(pending)) {
    assert.equal(result.status === 'rejected' && result.reason.code, 'QEMU_QMP_CLOSED');
    assert.equal(result.status === 'rejected' && result.reason.cause.message, 'Peer closed the connection');
  }
  await assert.rejects(client.execute('query-status'), { code: 'QEMU_QMP_CLOSED' });
});

test('L4 close() flushes what was written, leaves QEMU alone and may be called again', async (t) => {
  const { fake, client } = await connectBySocket(t, { commands: { keep: () => ({}) } });
  const written = client.executeRaw('keep', { text: 'x'.repeat(100_000) });
  const closing = client.close();
  await assert.rejects(written, { code: 'QEMU_QMP_CLOSED' });
  await Promise.all([closing, client.close()]);
  await client.close();
  assert.equal(((await fake.call('keep')).args['text'] as string).length, 100_000);
  assert.equal(
    fake.calls.some(({ name }) => name === 'quit'),
    false,
  );
  const next = await QmpClient.connect(fake.address);
  await next.close();
});

test('L4 close() ends although the peer reads nothing any more', async (t) => {
  const { fake, client } = await connectBySocket(t);
  (await fake.connection()).pause();
  const stuck = client.executeRaw('x', { text: 'x'.repeat(4 * 1024 * 1024) });
  const closing = client.close();
  await assert.rejects(stuck, { code: 'QEMU_QMP_CLOSED' });
  await closing;
  assert.equal(client.state.kind, 'idle');
});

test('L5 a reset while reading and a write into a closed connection are no uncaught errors', async (t) => {
  const uncaught: unknown[] = [];
  const onUncaught = (error: unknown): void => void uncaught.push(error);
  process.on('uncaughtException', onUncaught);
  t.after(() => process.removeListener('uncaughtException', onUncaught));
  for (let round = 0; round < 20; round += 1) {
    const { fake, client } = await connectBySocket(t);
    (await fake.connection()).pause();
    const calls = Array.from({ length: 8 }, () => client.executeRaw('query-status'));
    (await fake.connection()).reset();
    const results = await Promise.allSettled([...calls, client.executeRaw('query-status')]);
    assert.ok(results.every((result) => result.status === 'rejected' && result.reason.code === 'QEMU_QMP_CLOSED'));
    await fake.close();
  }
  assert.deepEqual(uncaught, []);
});

test('L6 the states are passed in order, and a call in the wrong one names both', async (t) => {
  const fake = await startFake(t);
  const client = new QmpClient();
  // A function, because the compiler takes a property for unchanged after it was compared.
  const kind = (): string => client.state.kind;
  const wrong = { code: 'QEMU_QMP_STATE' };
  assert.equal(kind(), 'idle');
  await assert.rejects(client.execute('query-status'), { ...wrong, message: /is idle: it must be running/ });
  assert.throws(() => client.greeting, wrong);
  const opening = client.open(fake.address);
  assert.equal(kind(), 'connecting');
  await assert.rejects(client.execute('query-status'), { ...wrong, message: /is connecting: it must be running/ });
  await opening;
  assert.equal(kind(), 'running');
  await assert.rejects(client.open(fake.address), { ...wrong, message: /is running: it must be idle/ });
  const closing = client.close();
  assert.equal(kind(), 'disconnecting');
  await assert.rejects(client.execute('query-status'), { ...wrong, message: /is disconnecting: it must be running/ });
  await closing;
  assert.equal(kind(), 'idle');
  await assert.rejects(client.execute('query-status'), wrong);
});

test('L6 a failed connect goes back to idle, and so does one that is closed or aborted midway', async (t) => {
  const silent = await startFake(t, { greeting: '' });
  const client = new QmpClient();
  await assert.rejects(client.open(silent.address, { timeoutMs: 10 }), { code: 'QEMU_TIMEOUT' });
  assert.equal(client.state.kind, 'idle');

  const opening = client.open(silent.address);
  const rejected = assert.rejects(opening, { code: 'QEMU_QMP_CLOSED' });
  await client.close();
  await rejected;
  assert.equal(client.state.kind, 'idle');

  const stop = new AbortController();
  const aborted = assert.rejects(client.open(silent.address, { signal: stop.signal }), { code: 'QEMU_ABORTED' });
  stop.abort();
  await aborted;
  await assert.rejects(client.open(silent.address, { signal: stop.signal }), { code: 'QEMU_ABORTED' });
  assert.equal(client.state.kind, 'idle');
});

test('L7 reconnecting is asked for, negotiates anew and sends nothing again', async (t) => {
  let rounds = 0;
  const fake = await startFake(t, { commands: { last: reset } });
  for await (const client of openSessions(fake.address)) {
    rounds += 1;
    assert.equal((await client.execute('query-status')).status, 'prelaunch');
    if (rounds === 3) break;
    await assert.rejects(client.executeRaw('last'), { code: 'QEMU_QMP_CLOSED' });
  }
  const names = fake.calls.map(({ name }) => name);
  const round = ['qmp_capabilities', 'query-status', 'last'];
  assert.deepEqual(names, [...round, ...round, 'qmp_capabilities', 'query-status']);
});

test('L7 reconnecting ends after a close of our own, after too long, and when aborted', async (t) => {
  const fake = await startFake(t);
  let rounds = 0;
  for await (const client of openSessions(fake.address)) {
    rounds += 1;
    await client.close();
  }
  assert.equal(rounds, 1);

  const nowhere = { kind: 'unix', path: '/nonexistent/qmp' } as const;
  await assert.rejects(openSessions(nowhere, { giveUpAfterMs: 120 }).next(), { code: 'QEMU_QMP_CONNECT' });

  const stop = new AbortController();
  const following = (async () => {
    for await (const client of openSessions(fake.address, { signal: stop.signal })) {
      assert.equal(client.state.kind, 'running');
      stop.abort();
    }
  })();
  await assert.rejects(following, { code: 'QEMU_ABORTED' });
});

for (const reason of [
  ...['host-qmp-quit', 'host-signal', 'host-ui', 'host-error', 'host-qmp-system-reset'],
  ...['guest-shutdown', 'guest-reset', 'guest-panic', 'subsystem-reset', 'reason-of-2040'],
]) {
  test(`L8 the SHUTDOWN reason "${reason}" is passed on`, async (t) => {
    const { client } = await connectBytewise(t, {
      commands: {
        end: ({ connection }) => {
          connection.sendEvent('SHUTDOWN', { guest: reason.startsWith('guest'), reason });
          connection.hangUp();
          return NO_ANSWER;
        },
      },
    });
    const shutdown = client.waitForEvent('SHUTDOWN');
    await assert.rejects(client.executeRaw('end'), { code: 'QEMU_QMP_CLOSED' });
    assert.equal((await shutdown).data.reason, reason);
  });
}
