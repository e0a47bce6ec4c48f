import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QmpClient } from '../../../src/qmp/client.ts';
import { NO_ANSWER } from '../../../src/testing/index.ts';
import { connectBySocket, connectBytewise, GREETING, openBytewise, startFake } from './support.ts';

test('P1 lines end in CRLF or LF, and blank lines are skipped', async (t) => {
  const { client } = await connectBytewise(t, {
    commands: {
      'with-lf': ({ connection, id }) => {
        connection.send(`\r\n\n  \n{"return": "lf", "id": ${id}}\n\r\n`);
        return NO_ANSWER;
      },
    },
  });
  assert.equal(await client.executeRaw('with-lf'), 'lf');
  assert.deepEqual(await client.execute('query-status'), { status: 'prelaunch', singlestep: false, running: false });
});

test('P2 a message may be cut at any byte, within CRLF and within a UTF-8 sequence', async (t) => {
  const line = Buffer.from('{"return": "Grüße 😀 \\uD83D\\uDE00", "id": 2}\r\n{"return": 2, "id": 3}\r\n');
  for (let cut = 1; cut < line.length; cut += 1) {
    const fake = await startFake(t, {
      commands: {
        first: () => NO_ANSWER,
        second: ({ connection }) => {
          connection.send(line.subarray(0, cut));
          connection.send(line.subarray(cut));
          return NO_ANSWER;
        },
      },
    });
    const client = await QmpClient.connect({ kind: 'stream', stream: fake.openStream() });
    const first = client.executeRaw('first');
    const second = client.executeRaw('second');
    assert.equal(await first, 'Grüße 😀 😀', `cut at byte ${cut}`);
    assert.equal(await second, 2);
    await fake.close();
  }
});

test('P3 greeting, event and answers may come in one read', async (t) => {
  const stop = '{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "STOP"}\r\n';
  const fake = await startFake(t, {
    greeting: GREETING + stop,
    commands: {
      qmp_capabilities: ({ connection, id }) => {
        connection.send(`${stop}{"return": {}, "id": ${id}}\r\n${stop}`);
        return NO_ANSWER;
      },
    },
  });
  const client = new QmpClient();
  using stops = client.events('STOP');
  await client.open({ kind: 'stream', stream: fake.openStream() });
  for (const sequence of [1, 2, 3]) assert.equal((await stops.next()).value?.sequence, sequence);
});

test('P4 a line of 10 MiB is read, and one beyond the limit ends the connection with an error that says so', async (t) => {
  const big = 'x'.repeat(10 * 1024 * 1024);
  const { client } = await connectBySocket(t, { commands: { big: () => big } });
  assert.equal(await client.executeRaw('big'), big);

  const fake = await startFake(t, { commands: { big: () => big } });
  const small = await QmpClient.connect(fake.address, { maxLineBytes: 1024 * 1024 });
  const answer = small.executeRaw('big');
  await assert.rejects(answer, { code: 'QEMU_QMP_CLOSED' });
  const end = await small.closed;
  assert.equal(end.kind, 'lost');
  assert.equal(end.error?.code, 'QEMU_QMP_PROTOCOL');
  assert.match(end.error?.message ?? '', /more than 1048576 bytes/);
});

test('P5 the end of the stream within a line is a protocol error, between lines a plain end', async (t) => {
  for (const [text, code] of [
    ['{"return": ', 'QEMU_QMP_PROTOCOL'],
    ['', 'QEMU_QMP_CLOSED'],
  ] as const) {
    const { client } = await connectBytewise(t, {
      commands: {
        end: ({ connection }) => {
          connection.send(text);
          connection.hangUp();
          return NO_ANSWER;
        },
      },
    });
    await assert.rejects(client.executeRaw('end'), { code: 'QEMU_QMP_CLOSED' });
    assert.equal((await client.closed).error?.code, code);
  }
});

for (const line of ['nonsense', '{"return": {}', '[1]', '5', '"text"', 'null']) {
  test(`P6 the line ${line} ends the connection`, async (t) => {
    const { client } = await connectBytewise(t, {
      commands: {
        rubbish: ({ connection }) => {
          connection.send(`${line}\r\n`);
          return NO_ANSWER;
        },
      },
    });
    await assert.rejects(client.executeRaw('rubbish'), { code: 'QEMU_QMP_CLOSED' });
    assert.equal((await client.closed).error?.code, 'QEMU_QMP_PROTOCOL');
    await assert.rejects(client.execute('query-status'), { code: 'QEMU_QMP_CLOSED' });
  });
}

test('P6 rubbish instead of a greeting fails the connect', async (t) => {
  const fake = await startFake(t, { greeting: 'SSH-2.0-OpenSSH_9.2\r\n' });
  await assert.rejects(openBytewise(fake), { code: 'QEMU_QMP_PROTOCOL' });
});

test('P7 integers beyond 2^53 keep every digit', async (t) => {
  const { client } = await connectBytewise(t, {
    commands: {
      integers: ({ connection, id }) => {
        connection.send(
          `{"return": {"max": 9223372036854775807, "unsigned": 18446744073709551615, "negative": -9007199254740993, ` +
            `"exact": 9007199254740992, "text": "9223372036854775807", "9223372036854775807": 1.5}, "id": ${id}}\r\n`,
        );
        return NO_ANSWER;
      },
      echo: ({ args }) => args,
    },
  });
  assert.deepEqual(await client.executeRaw('integers'), {
    max: 9223372036854775807n,
    unsigned: 18446744073709551615n,
    negative: -9007199254740993n,
    exact: 9007199254740992,
    text: '9223372036854775807',
    '9223372036854775807': 1.5,
  });
  assert.deepEqual(await client.executeRaw('echo', { n: 9223372036854775807n }), { n: 9223372036854775807n });
});
