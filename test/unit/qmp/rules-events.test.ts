import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QmpClient } from '../../../src/qmp/client.ts';
import type { QmpEvent } from '../../../src/qmp/event.ts';
import { NO_ANSWER } from '../../../src/testing/index.ts';
import { connectBySocket, connectBytewise, startFake } from './support.ts';

/** Sends these bytes, then the answer. */
function sends(bytes: string): { commands: { say: (call: { connection: { send(text: string): void } }) => unknown } } {
  return {
    commands: {
      say: ({ connection }) => {
        connection.send(bytes);
        return {};
      },
    },
  };
}

async function take(events: AsyncIterable<QmpEvent>, count: number): Promise<QmpEvent[]> {
  const taken: QmpEvent[] = [];
  for await (const event of events) {
    taken.push(event);
    if (taken.length === count) break;
  }
  return taken;
}

test('E1 an object with "event" is an event, even with the id of a pending command', async (t) => {
  const { client } = await connectBytewise(t, sends('{"event": "STOP", "id": 2, "return": "wrong", "error": 5}\r\n'));
  using events = client.events();
  assert.deepEqual(await client.executeRaw('say'), {});
  assert.deepEqual(
    (await take(events, 1)).map(({ event }) => event),
    ['STOP'],
  );
});

test('E2 data is optional, and a timestamp of -1 or none is no date', async (t) => {
  const { client } = await connectBytewise(
    t,
    sends(
      '{"timestamp": {"seconds": 1265044230, "microseconds": 450486}, "event": "A", "data": {"n": 1}}\r\n' +
        '{"timestamp": {"seconds": -1, "microseconds": -1}, "event": "B"}\r\n{"event": "C"}\r\n',
    ),
  );
  using events = client.events();
  await client.executeRaw('say');
  const [a, b, c] = await take(events, 3);
  assert.deepEqual(a?.data, { n: 1 });
  assert.deepEqual(a?.timestamp, { seconds: 1265044230, microseconds: 450486 });
  assert.equal(a?.time?.toISOString(), '2010-02-01T17:10:30.450Z');
  assert.deepEqual(b?.data, {});
  assert.equal(b?.time, undefined);
  assert.equal(c?.time, undefined);
});

test('E3 a listener made before a command sees all events from then on, in order', async (t) => {
  const { client } = await connectBytewise(t);
  using before = client.events(['STOP', 'RESUME']);
  await client.execute('cont');
  using after = client.events(['STOP', 'RESUME']);
  await client.execute('stop');
  await client.execute('cont');
  assert.deepEqual(
    (await take(before, 3)).map(({ event }) => event),
    ['RESUME', 'STOP', 'RESUME'],
  );
  assert.deepEqual(
    (await take(after, 2)).map(({ event }) => event),
    ['STOP', 'RESUME'],
  );
});

test('E3 a slow or throwing listener disturbs neither the others nor the answers', async (t) => {
  const { client } = await connectBytewise(t);
  using slow = client.events();
  using broken = client.events(() => {
    throw new Error('bug of the listener');
  });
  using healthy = client.events('RESUME');
  await client.execute('cont');
  assert.equal((await take(healthy, 1)).length, 1);
  await assert.rejects(broken.next(), /bug of the listener/);
  assert.equal((await broken.next()).done, true);
  assert.equal((await take(slow, 1)).length, 1);
});

test('E4 a full queue drops the oldest events and counts them', async (t) => {
  const { client } = await connectBytewise(t, {
    commands: {
      many: ({ connection }) => {
        for (let n = 1; n <= 10; n += 1) connection.sendEvent('N', { n });
        return {};
      },
    },
  });
  using events = client.events('N', { limit: 3 });
  await client.executeRaw('many');
  assert.equal(events.dropped, 7);
  assert.deepEqual(
    (await take(events, 3)).map(({ data }) => data['n']),
    [8, 9, 10],
  );
  assert.throws(() => client.events('N', { limit: 0 }), { code: 'QEMU_USAGE' });
});

test('E4 100,000 events to a listener that does not read stay within the bound and are counted', async (t) => {
  const { client } = await connectBySocket(t, {
    commands: {
      many: ({ connection, id }) => {
        connection.send('{"event": "STOP"}\r\n'.repeat(100_000));
        connection.sendReturn({}, id);
        return NO_ANSWER;
      },
    },
  });
  const events = client.events();
  await client.executeRaw('many');
  assert.equal(events.dropped, 99_000);
  await client.close();
  const kept: QmpEvent[] = [];
  for await (const event of events) kept.push(event);
  assert.equal(kept.length, 1000);
  assert.equal(kept[0]?.sequence, 99_001);
});

test('E5 events are states, not counts: a wait is satisfied by the last of several', async (t) => {
  const { client } = await connectBytewise(
    t,
    sends(
      '{"event": "BALLOON_CHANGE", "data": {"actual": 1}}\r\n{"event": "BALLOON_CHANGE", "data": {"actual": 2}}\r\n',
    ),
  );
  const since = client.eventCount;
  await client.executeRaw('say');
  const event = await client.waitForEvent('BALLOON_CHANGE', { actual: 2 }, { since });
  assert.equal(event.sequence, 2);
});

test('E6 events of an earlier connection do not satisfy a wait on the next one', async (t) => {
  const fake = await startFake(t);
  const client = new QmpClient();
  await client.open(fake.address);
  const since = client.eventCount;
  await client.execute('cont');
  await client.close();
  await client.open(fake.address);
  await assert.rejects(client.waitForEvent('RESUME', undefined, { since, timeoutMs: 10 }), { code: 'QEMU_QMP_STATE' });
  await assert.rejects(client.waitForEvent('RESUME', undefined, { since: client.eventCount, timeoutMs: 10 }), {
    code: 'QEMU_TIMEOUT',
  });
  await client.close();
});

test('E7 iterators end with the connection, after what was queued, and know why', async (t) => {
  const { fake, client } = await connectBytewise(t);
  const events = client.events();
  const idle = client.events('NEVER');
  const waiting = idle.next();
  const wait = client.waitForEvent('NEVER');
  await client.execute('cont');
  (await fake.connection()).reset();
  assert.deepEqual(await waiting, { done: true, value: undefined });
  await assert.rejects(wait, { code: 'QEMU_QMP_CLOSED' });
  assert.equal((await events.next()).value?.event, 'RESUME');
  assert.equal((await events.next()).done, true);
  assert.equal(events.end?.kind, 'lost');
  assert.equal(events.end?.error?.code, 'QEMU_QMP_CLOSED');
});

test('leaving the loop, an abort and close() each end a listener', async (t) => {
  const { client } = await connectBytewise(t);
  const left = client.events();
  await client.execute('cont');
  await take(left, 1);
  assert.equal((await left.next()).done, true);

  const stop = new AbortController();
  const aborted = client.events(undefined, { signal: stop.signal });
  const next = aborted.next();
  stop.abort();
  await assert.rejects(next, { code: 'QEMU_ABORTED' });
  await assert.rejects(client.events(undefined, { signal: stop.signal }).next(), { code: 'QEMU_ABORTED' });

  const closed = client.events();
  await client.execute('stop');
  closed.close();
  closed.close();
  assert.equal((await closed.next()).done, true);
});

test('waitForEvent looks at new events only, unless told since when', async (t) => {
  const { client } = await connectBytewise(t);
  const since = client.eventCount;
  await client.execute('cont');
  assert.equal((await client.waitForEvent('RESUME', undefined, { since })).event, 'RESUME');
  await assert.rejects(client.waitForEvent('RESUME', undefined, { timeoutMs: 10 }), { code: 'QEMU_TIMEOUT' });
  const stopped = client.waitForEvent(['STOP', 'SHUTDOWN']);
  await client.execute('stop');
  assert.equal((await stopped).event, 'STOP');
});

test('waitForEvent finds an event that came before the connection ended', async (t) => {
  const { client } = await connectBytewise(t);
  const since = client.eventCount;
  await client.execute('quit');
  await client.closed;
  const event = await client.waitForEvent('SHUTDOWN', { reason: 'host-qmp-quit' }, { since });
  assert.equal(event.data.guest, false);
  await assert.rejects(client.waitForEvent('SHUTDOWN'), { code: 'QEMU_QMP_CLOSED' });
});

test('waitForEvent says when what it is to look back at is not kept any more', async (t) => {
  const { client } = await connectBytewise(t, sends('{"event": "N"}\r\n'.repeat(1500)));
  const since = client.eventCount;
  await client.executeRaw('say');
  await assert.rejects(client.waitForEvent('STOP', undefined, { since }), {
    code: 'QEMU_QMP_STATE',
    message: /500 events are not kept/,
  });
});

test('waitForEvent matches objects by subset, lists and plain values by equality', async (t) => {
  const data = '{"device": "d", "list": [1, {"a": 1, "b": 2}], "deep": {"x": 1, "y": 2}}';
  const { client } = await connectBytewise(t, sends(`{"event": "E", "data": ${data}}\r\n`));
  const since = client.eventCount;
  await client.executeRaw('say');
  for (const match of [
    {},
    { device: 'd' },
    { device: undefined },
    { deep: { y: 2 } },
    { list: [1, { a: 1, b: 2 }] },
    (event: QmpEvent) => event.data['device'] === 'd',
  ]) {
    assert.equal((await client.waitForEvent('E', match, { since })).event, 'E');
  }
  for (const match of [
    { device: 'e' },
    { missing: 1 },
    { list: [1] },
    { list: [1, { a: 1 }] },
    { list: {} },
    { deep: [] },
    { device: '' },
  ]) {
    await assert.rejects(client.waitForEvent('E', match, { since, timeoutMs: 1 }), { code: 'QEMU_TIMEOUT' });
  }
});

test('listening to a connection that has ended ends at once', async (t) => {
  const { client } = await connectBySocket(t);
  await client.close();
  const seen: unknown[] = [];
  for await (const event of client.events(undefined, { signal: AbortSignal.timeout(10_000) })) seen.push(event);
  assert.deepEqual(seen, []);
  const subscription = client.events();
  assert.deepEqual(await subscription.next(), { done: true, value: undefined });
  assert.equal(subscription.end?.kind, 'closed');
});

test('a listener made before the connection is served from its first event on', async (t) => {
  const fake = await startFake(t);
  const client = new QmpClient();
  t.after(() => client.close());
  const events = client.events('STOP', { signal: AbortSignal.timeout(10_000) });
  await client.open(fake.address);
  fake.connections[0]?.sendEvent('STOP');
  assert.equal((await events.next()).value?.event, 'STOP');
});
