import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { QmpClient } from '../../../src/qmp/client.ts';
import { type FakeQmpOptions, FakeQmpServer, FakeRefusal, NO_ANSWER } from '../../../src/testing/index.ts';

test('a fake greets, negotiates and answers on a socket of its own, which it removes', async () => {
  const fake = await FakeQmpServer.start();
  const client = await QmpClient.connect(fake.address);
  assert.equal((await client.execute('query-status')).status, 'prelaunch');
  assert.deepEqual((await fake.connection()).enabledCapabilities, ['oob']);
  assert.deepEqual(
    fake.calls.map(({ name, id }) => [name, id]),
    [
      ['qmp_capabilities', 1],
      ['query-status', 2],
    ],
  );
  assert.ok(fake.address.kind === 'unix');
  const { path } = fake.address;
  await Promise.all([fake.close(), fake.close()]);
  await fake.close();
  assert.equal(existsSync(path), false);
  assert.equal((await client.closed).kind, 'lost');
});

test('commands answer with a value, a promise, a refusal or nothing', async (t) => {
  const { client } = await connectTo(t, {
    commands: {
      value: ({ args }) => args['n'],
      promise: async () => 'later',
      refusal: () => {
        throw new FakeRefusal('DeviceNotFound', "Device 'x' not found");
      },
      rejection: () => Promise.reject(new FakeRefusal('GenericError', 'no')),
      nothing: () => NO_ANSWER,
      'query-status': () => ({ status: 'running' }),
    },
  });
  assert.equal(await client.executeRaw('value', { n: 7 }), 7);
  assert.equal(await client.executeRaw('promise'), 'later');
  await assert.rejects(client.executeRaw('refusal'), { errorClass: 'DeviceNotFound' });
  await assert.rejects(client.executeRaw('rejection'), { errorClass: 'GenericError' });
  await assert.rejects(client.executeRaw('nothing', {}, { timeoutMs: 10 }), { code: 'QEMU_TIMEOUT' });
  assert.deepEqual(await client.execute('query-status'), { status: 'running' });
});

test('the idle machine of a fake can be continued, stopped, reset and quit, with its events', async (t) => {
  const { client } = await connectTo(t);
  using events = client.events();
  await client.execute('cont');
  assert.equal(await client.hmp('info status'), 'VM status: running\n');
  await client.execute('stop');
  await client.execute('system_powerdown');
  await client.execute('system_reset');
  await client.execute('quit');
  const names: string[] = [];
  for await (const { event } of events) names.push(event);
  assert.deepEqual(names, ['RESUME', 'STOP', 'POWERDOWN', 'RESET', 'SHUTDOWN']);
});

test('a fake serves one client at a time, and skips those that gave up', async (t) => {
  const { fake, client } = await connectTo(t);
  assert.ok(fake.address.kind === 'unix');
  const impatient = connect(fake.address.path);
  await new Promise((resolve) => impatient.once('connect', resolve));
  impatient.destroy();
  const next = QmpClient.connect(fake.address);
  await client.close();
  await (await next).close();
});

test('a paused fake takes nothing in until it is resumed', async (t) => {
  const { fake, client } = await connectTo(t);
  const connection = await fake.connection();
  connection.pause();
  const answer = client.execute('query-status');
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(fake.calls.length, 1);
  connection.resume();
  assert.equal((await answer).status, 'prelaunch');
});

test('a stream of a fake gives pieces of exactly the size asked for', async (t) => {
  const fake = await FakeQmpServer.start();
  t.after(() => fake.close());
  const sizes: number[] = [];
  const stream = fake.openStream(7);
  stream.on('data', (chunk: Buffer) => sizes.push(chunk.length));
  await fake.connection();
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(sizes.length > 10);
  assert.ok(sizes.slice(0, -1).every((size) => size === 7));
  stream.destroy();
  await (await fake.connection()).closed;
});

test('a fake keeps the order of answers, and needs no line feeds', async (t) => {
  const fake = await FakeQmpServer.start();
  t.after(() => fake.close());
  const stream = fake.openStream();
  let text = '';
  stream.on('data', (chunk) => {
    text += chunk;
  });
  stream.write('{"execute":"qmp_capabilities","id":1}{"execute":"query-name","id":2} {"execute":"nope","id":3}');
  await fake.call('nope');
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(text.match(/"id": \d/g), ['"id": 1', '"id": 2', '"id": 3']);
  assert.equal((await fake.connection()).mostUnanswered, 1);
});

async function connectTo(
  t: TestContext,
  options: FakeQmpOptions = {},
): Promise<{ fake: FakeQmpServer; client: QmpClient }> {
  const fake = await FakeQmpServer.start(options);
  t.after(() => fake.close());
  const client = await QmpClient.connect(fake.address);
  t.after(() => client.close());
  return { fake, client };
}
