import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { QmpClient } from '../../../src/qmp/client.ts';
import { FakeRefusal, NO_ANSWER } from '../../../src/testing/index.ts';
import { connectBytewise, GREETING, openBytewise, startFake } from './support.ts';

test('N1 the greeting gives version and capabilities; what it has besides or lacks within is tolerated', async (t) => {
  const { client } = await connectBytewise(t);
  assert.deepEqual(client.greeting, {
    version: { major: 7, minor: 2, micro: 22, package: 'Debian 1:7.2+dfsg-7+deb12u18+b3' },
    capabilities: ['oob'],
  });

  const strange = await startFake(t, {
    greeting: '{"QMP": {"version": {"qemu": {"major": 12}}, "capabilities": ["oob", "time-travel", 5], "more": 1}}\n',
  });
  const other = await openBytewise(strange);
  assert.deepEqual(other.greeting.version, { major: 12, minor: 0, micro: 0, package: '' });
});

for (const greeting of [
  '{"QMP": {"version": {}}}\r\n',
  '{"QMP": {"version": 7, "capabilities": []}}\r\n',
  '{"QMP": null}\r\n',
  '{"return": {}}\r\n',
]) {
  test(`N1 ${greeting.trim()} is no greeting`, async (t) => {
    const fake = await startFake(t, { greeting });
    await assert.rejects(openBytewise(fake), { code: 'QEMU_QMP_GREETING' });
  });
}

test('N1 what QEMU sends of events before its greeting is events, and the greeting is waited for', async (t) => {
  const fake = await startFake(t, {
    greeting: `{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "RESUME"}\r\n${GREETING}`,
  });
  const client = new QmpClient();
  using events = client.events('RESUME');
  await client.open({ kind: 'stream', stream: fake.openStream() });
  assert.equal((await events.next()).value?.event, 'RESUME');
  assert.equal(client.state.kind, 'running');
});

test('N2 nothing but qmp_capabilities is sent first, and only what was offered is enabled', async (t) => {
  const { fake } = await connectBytewise(t, { capabilities: ['oob', 'unheard-of'] });
  assert.deepEqual(
    fake.calls.map(({ name, args }) => ({ name, args })),
    [{ name: 'qmp_capabilities', args: { enable: ['oob'] } }],
  );

  const { fake: plain, client } = await connectBytewise(t, { capabilities: [] });
  assert.deepEqual(plain.calls[0]?.args, {});
  await client.execute('query-status');
});

test('N2 out-of-band commands are not enabled for a client that needs none', async (t) => {
  const fake = await startFake(t, { capabilities: ['oob'] });
  const client = await QmpClient.connect({ kind: 'stream', stream: fake.openStream() }, { outOfBand: false });
  assert.deepEqual(fake.calls[0]?.args, {});
  await client.execute('query-status');
  await assert.rejects(client.execute('query-yank', undefined, { outOfBand: true }), { code: 'QEMU_QMP_REFUSED' });
});

test('N3 a refused negotiation fails the connect and hangs up', async (t) => {
  const fake = await startFake(t, {
    commands: {
      qmp_capabilities: () => {
        throw new FakeRefusal('GenericError', 'No');
      },
    },
  });
  const client = new QmpClient();
  await assert.rejects(client.open(fake.address), { code: 'QEMU_QMP_NEGOTIATION' });
  assert.equal(client.state.kind, 'idle');
  await (await fake.connection()).closed;
});

test('N4 events between the negotiation and its answer are events, not the answer', async (t) => {
  const fake = await startFake(t, {
    commands: {
      qmp_capabilities: ({ connection }) => {
        connection.sendEvent('RESUME');
        connection.send('{"event": "STOP", "return": {}, "id": 1}\r\n');
        return {};
      },
      'query-status': () => ({ status: 'running' }),
    },
  });
  const client = new QmpClient();
  using events = client.events();
  await client.open({ kind: 'stream', stream: fake.openStream(1) });
  assert.deepEqual(await client.execute('query-status'), { status: 'running' });
  assert.equal((await events.next()).value?.event, 'RESUME');
  assert.equal((await events.next()).value?.event, 'STOP');
});

test('N5 each new connection negotiates anew', async (t) => {
  const fake = await startFake(t);
  const client = new QmpClient();
  for (let round = 0; round < 3; round += 1) {
    await client.open(fake.address);
    await client.execute('query-status');
    await client.close();
  }
  const names = fake.calls.map(({ name }) => name);
  assert.deepEqual(names.slice(0, 4), ['qmp_capabilities', 'query-status', 'qmp_capabilities', 'query-status']);
  await client.open(fake.address);
  await assert.rejects(client.executeRaw('qmp_capabilities'), { errorClass: 'CommandNotFound' });
  await client.close();
});

test('N6 a silent peer is given up at the deadline, and the error says what is missing, in whole milliseconds', async (t) => {
  const silent = await startFake(t, { greeting: '' });
  await assert.rejects(QmpClient.connect(silent.address, { timeoutMs: 30.001_2 }), {
    code: 'QEMU_TIMEOUT',
    message: /no greeting within 30 ms/,
    hint: /another client may hold this monitor/,
  });

  const deaf = await startFake(t, { commands: { qmp_capabilities: () => NO_ANSWER } });
  await assert.rejects(QmpClient.connect(deaf.address, { timeoutMs: 30 }), {
    code: 'QEMU_TIMEOUT',
    message: /no answer to "qmp_capabilities" within 30 ms/,
  });
});

test('N6 a monitor that another client holds greets when that one leaves', async (t) => {
  const fake = await startFake(t);
  const first = await QmpClient.connect(fake.address);
  await assert.rejects(QmpClient.connect(fake.address, { timeoutMs: 30 }), { code: 'QEMU_TIMEOUT' });
  const third = QmpClient.connect(fake.address);
  await first.close();
  await (await third).close();
});

test('N7 a peer that hangs up before its greeting or its answer rejects the connect at once', async (t) => {
  const rude = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => {
    rude.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => rude.close());
  const address = rude.address();
  assert.ok(typeof address === 'object' && address !== null);
  await assert.rejects(
    QmpClient.connect({ kind: 'tcp', host: '127.0.0.1', port: address.port }, { timeoutMs: 60_000 }),
    {
      code: 'QEMU_QMP_CLOSED',
      message: /before the greeting/,
    },
  );

  const fake = await startFake(t, {
    commands: {
      qmp_capabilities: ({ connection }) => {
        connection.hangUp();
        return NO_ANSWER;
      },
    },
  });
  await assert.rejects(openBytewise(fake, 60_000), {
    code: 'QEMU_QMP_CLOSED',
    message: /before the answer to "qmp_capabilities"/,
  });
});

test('N9 events from before the client came are not replayed: its count starts at 0', async (t) => {
  const { client } = await connectBytewise(t);
  assert.equal(client.eventCount, 0);
});
