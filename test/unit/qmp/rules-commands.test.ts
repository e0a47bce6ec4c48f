import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { QmpRefusedError } from '../../../src/base/errors.ts';
import { QmpClient } from '../../../src/qmp/client.ts';
import { type FakeCall, NO_ANSWER } from '../../../src/testing/index.ts';
import { connectBySocket, connectBytewise, GREETING } from './support.ts';

/** A command that is answered when the test says so. */
function makeLatch(): {
  command: (call: FakeCall) => Promise<unknown>;
  release: (id: unknown, value: unknown) => void;
} {
  const waiting = new Map<unknown, (value: unknown) => void>();
  return {
    command: ({ id }) =>
      new Promise((resolve) => {
        waiting.set(id, resolve);
      }),
    release: (id, value) => waiting.get(id)?.(value),
  };
}

/** A command that answers with these bytes; `$id` stands for the id of the call. */
function answer(bytes: string): (call: FakeCall) => unknown {
  return ({ connection, id }) => {
    connection.send(bytes.replaceAll('$id', String(id)));
    return NO_ANSWER;
  };
}

test('C1 answers are matched by id, in any order; ids are small integers', async (t) => {
  const latch = makeLatch();
  const { fake, client } = await connectBytewise(t, { commands: { wait: latch.command } });
  const answers = [1, 2, 3].map(() => client.executeRaw('wait'));
  await fake.call('wait', 2);
  assert.deepEqual(
    fake.calls.map(({ id }) => id),
    [1, 2, 3, 4],
  );
  for (const id of [4, 2, 3]) latch.release(id, `answer to ${id}`);
  assert.deepEqual(await Promise.all(answers), ['answer to 2', 'answer to 3', 'answer to 4']);
});

test('C2 an answer with an id that nobody waits for is dropped', async (t) => {
  const strange =
    '{"return": 1, "id": 77}\r\n{"return": 2, "id": "2"}\r\n{"error": {"class": "a", "desc": "b"}, "id": 0}\r\n';
  const { client } = await connectBytewise(t, {
    commands: { x: answer(`${strange}{"return": "mine", "id": $id}\r\n`) },
  });
  assert.equal(await client.executeRaw('x'), 'mine');
});

test('C3 an error without id ends the connection and is nobody’s answer', async (t) => {
  const { client } = await connectBytewise(t, {
    commands: {
      wait: () => NO_ANSWER,
      bad: answer('{"error": {"class": "GenericError", "desc": "JSON parse error, expecting value"}}\r\n'),
    },
  });
  const results = await Promise.allSettled([client.executeRaw('wait'), client.executeRaw('bad')]);
  for (const result of results) {
    assert.equal(result.status, 'rejected');
    assert.equal(result.reason.code, 'QEMU_QMP_CLOSED');
  }
  const { error } = await client.closed;
  assert.equal(error?.code, 'QEMU_QMP_PROTOCOL');
  assert.match(error?.message ?? '', /JSON parse error/);
});

for (const members of [
  '',
  ', "return": 1, "error": {"class": "GenericError", "desc": "x"}',
  ', "error": {"class": "GenericError"}',
  ', "error": {"desc": "x"}',
  ', "error": "no"',
]) {
  test(`C4 {"id": 2${members}} is a bad answer to that command alone`, async (t) => {
    const { client } = await connectBytewise(t, { commands: { bad: answer(`{"id": $id${members}}\r\n`) } });
    await assert.rejects(client.executeRaw('bad'), { code: 'QEMU_QMP_BAD_REPLY' });
    assert.equal((await client.execute('query-status')).status, 'prelaunch');
  });
}

for (const value of [{}, [], '', 'text', 0, 12.5, false, true, null]) {
  test(`C5 the answer ${JSON.stringify(value)} is passed on as it is`, async (t) => {
    const { client } = await connectBytewise(t, { commands: { x: () => value } });
    assert.deepEqual(await client.executeRaw('x'), value);
  });
}

test('C6 a refusal carries class, desc, command and id, and classes of the future pass through', async (t) => {
  const { client } = await connectBytewise(t, {
    commands: { x: answer('{"id": $id, "error": {"class": "ClassOf2040", "desc": "Not \\u2013 yet"}}\r\n') },
  });
  const error = await client.executeRaw('x').catch((reason: unknown) => reason);
  assert.ok(error instanceof QmpRefusedError);
  assert.deepEqual(
    [error.code, error.errorClass, error.desc, error.command, error.id],
    ['QEMU_QMP_REFUSED', 'ClassOf2040', 'Not – yet', 'x', 2],
  );
});

test('C7 at most 8 in-band commands wait for an answer, and all are answered', async (t) => {
  const { fake, client } = await connectBySocket(t, {
    commands: { slow: ({ args }) => new Promise((resolve) => setImmediate(() => resolve(args['n']))) },
  });
  const numbers = Array.from({ length: 50 }, (_, n) => n);
  const answers = await Promise.all(numbers.map((n) => client.executeRaw('slow', { n })));
  assert.deepEqual(answers, numbers);
  assert.equal((await fake.connection()).mostUnanswered, 8);
});

test('C8 an out-of-band command is sent as exec-oob past 8 that wait, and answered first', async (t) => {
  const latch = makeLatch();
  const { fake, client } = await connectBytewise(t, { commands: { wait: latch.command } });
  const waiting = Array.from({ length: 20 }, () => client.executeRaw('wait'));
  await fake.call('wait', 7);
  assert.deepEqual(await client.executeRaw('query-yank', undefined, { outOfBand: true }), []);
  const call = await fake.call('query-yank');
  assert.equal(call.outOfBand, true);
  assert.equal(fake.calls.filter(({ name }) => name === 'wait').length, 8);
  await client.close();
  for (const result of await Promise.allSettled(waiting)) assert.equal(result.status, 'rejected');
});

test('C9 no member is added to a command, and empty arguments are left out', async () => {
  const { lines, client } = await connectRecorded();
  await client.execute('query-status');
  await client.execute('query-status', {});
  await client.executeRaw('device_add', { driver: 'x', id: undefined });
  assert.deepEqual(lines.slice(1), [
    '{"execute":"query-status","id":2}',
    '{"execute":"query-status","id":3}',
    '{"execute":"device_add","arguments":{"driver":"x"},"id":4}',
  ]);
});

test('C10 commands are compact JSON with one line feed', async () => {
  const { lines, bytes, client } = await connectRecorded();
  await client.executeRaw('x', { list: [1, null, { deep: true }], text: 'a b' });
  assert.equal(lines[1], '{"execute":"x","arguments":{"list":[1,null,{"deep":true}],"text":"a b"},"id":2}');
  assert.equal(bytes().split('\n').length, 3);
  assert.equal(bytes().includes('\r'), false);
});

test('C1 ids have one digit while few commands wait, and one that was answered comes again last', async (t) => {
  const { fake, client } = await connectBytewise(t, {});
  for (let count = 0; count < 12; count += 1) await client.execute('query-name');
  const ids = fake.calls.map(({ id }) => Number(id));
  assert.deepEqual(ids, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4]);
});

test('C11 a deadline or an abort ends one command; its late answer is dropped and nothing is sent again', async (t) => {
  const latch = makeLatch();
  const { fake, client } = await connectBytewise(t, { commands: { wait: latch.command } });
  await assert.rejects(client.executeRaw('wait', {}, { timeoutMs: 10 }), { code: 'QEMU_TIMEOUT' });
  const stop = new AbortController();
  const aborted = client.executeRaw('wait', {}, { signal: stop.signal });
  stop.abort(new Error('enough'));
  await assert.rejects(aborted, { code: 'QEMU_ABORTED', cause: stop.signal.reason });
  await assert.rejects(client.executeRaw('never-sent', {}, { signal: stop.signal }), { code: 'QEMU_ABORTED' });
  latch.release(2, 'late');
  latch.release(3, 'late');
  assert.equal((await client.execute('query-status')).status, 'prelaunch');
  assert.deepEqual(
    fake.calls.map(({ name }) => name),
    ['qmp_capabilities', 'wait', 'wait', 'query-status'],
  );
});

test('C11 a deadline that no timer can hold is none that is over at once', async (t) => {
  const latch = makeLatch();
  const { fake, client } = await connectBytewise(t, { commands: { wait: latch.command } });
  const answer = client.executeRaw('wait', {}, { timeoutMs: 2 ** 40 });
  const event = client.waitForEvent('STOP', undefined, { timeoutMs: Number.MAX_SAFE_INTEGER });
  // Such a timer of Node goes off after 1 ms: this one, made later, goes off behind it.
  await assert.rejects(client.executeRaw('wait', {}, { timeoutMs: 5 }), { code: 'QEMU_TIMEOUT' });
  latch.release(2, 'done');
  (await fake.connection()).send('{"event": "STOP"}\r\n');
  assert.equal(await answer, 'done');
  assert.equal((await event).event, 'STOP');
});

test('C11 a command that is given up while it waits for a place is never sent', async (t) => {
  const latch = makeLatch();
  const { fake, client } = await connectBytewise(t, { commands: { wait: latch.command } });
  const first = Array.from({ length: 8 }, () => client.executeRaw('wait'));
  await assert.rejects(client.executeRaw('never-sent', {}, { timeoutMs: 10 }), { code: 'QEMU_TIMEOUT' });
  for (let id = 2; id <= 9; id += 1) latch.release(id, id);
  assert.equal((await Promise.all(first)).length, 8);
  await client.execute('query-status');
  assert.equal(
    fake.calls.some(({ name }) => name === 'never-sent'),
    false,
  );
});

test('C12 nothing more is written while the stream is full, and what waits has a limit', async () => {
  const written: string[] = [];
  let drain = (): void => {};
  const stream = new Duplex({
    highWaterMark: 1,
    read: () => {},
    write: (chunk, _encoding, done) => {
      written.push(String(chunk));
      drain = done;
    },
  });
  stream.push(GREETING);
  const connecting = QmpClient.connect({ kind: 'stream', stream });
  await new Promise(setImmediate);
  stream.push('{"return": {}, "id": 1}\r\n');
  const client = await connecting;
  const pending = [client.executeRaw('a'), client.executeRaw('b'), client.executeRaw('c')];
  assert.equal(written.length, 1);
  drain();
  await new Promise(setImmediate);
  assert.equal(written.length, 2);
  const flood = Array.from({ length: 16_384 }, () => client.executeRaw('d'));
  const results = await Promise.race([Promise.allSettled([flood.at(-1)]), Promise.allSettled(pending)]);
  assert.equal(results[0]?.status, 'rejected');
  assert.equal(results[0]?.status === 'rejected' ? results[0].reason.code : '', 'QEMU_QMP_STATE');
  await Promise.all([client.close(), ...[...flood, ...pending].map((call) => call.catch(() => {}))]);
});

for (const [name, value] of [
  ['NaN', Number.NaN],
  ['an infinity', Number.POSITIVE_INFINITY],
  ['a lone surrogate', '\ud800'],
  ['undefined in a list', [undefined]],
  ['a function', () => {}],
  ['a symbol', Symbol('x')],
  ['a Map', new Map()],
  ['a Date', new Date(0)],
] as const) {
  test(`C13 ${name} is refused before anything is sent`, async () => {
    const { lines, client } = await connectRecorded();
    await assert.rejects(client.executeRaw('x', { value }), { code: 'QEMU_USAGE' });
    await client.executeRaw('y');
    assert.deepEqual(lines.slice(1), ['{"execute":"y","id":2}']);
  });
}

test('C13 a value that holds itself is refused', async (t) => {
  const { client } = await connectBytewise(t);
  const loop: Record<string, unknown> = {};
  loop['self'] = loop;
  await assert.rejects(client.executeRaw('x', loop), { code: 'QEMU_USAGE', message: /nested more than/ });
});

test('C13 NUL, control characters, pairs of surrogates and bigints arrive as they are', async (t) => {
  const { client } = await connectBytewise(t, { commands: { echo: ({ args }) => args } });
  const args = { text: '\u0000\u001f\u007f\r\n"\\ é 😀 \u2028', big: 18446744073709551615n };
  assert.deepEqual(await client.executeRaw('echo', args), args);
});

test('C14 a line feed in an argument is escaped, so that it cannot reset the parser of the peer', async () => {
  const { lines, client } = await connectRecorded();
  await client.executeRaw('x', { text: 'a\nb\u0001' });
  assert.equal(lines[1], '{"execute":"x","arguments":{"text":"a\\nb\\u0001"},"id":2}');
});

/** A client whose every command is answered with `{}` and whose bytes are kept. */
async function connectRecorded(): Promise<{ lines: string[]; bytes: () => string; client: QmpClient }> {
  const lines: string[] = [];
  let bytes = '';
  const stream: Duplex = new Duplex({
    read: () => {},
    write: (chunk, _encoding, done) => {
      bytes += chunk;
      const line = String(chunk).trimEnd();
      lines.push(line);
      stream.push(`{"return": {}, "id": ${JSON.parse(line).id}}\r\n`);
      done();
    },
  });
  stream.push(GREETING);
  return { lines, bytes: () => bytes, client: await QmpClient.connect({ kind: 'stream', stream }) };
}
