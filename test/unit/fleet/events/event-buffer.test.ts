import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventBuffer } from '../../../../src/fleet/events/event-buffer.ts';
import type { FleetEvent } from '../../../../src/fleet/events/fleet-event.ts';

const eventOf = (machine: string, data: FleetEvent['data'] = {}): FleetEvent => {
  return { time: '2026-11-27T10:00:00.000Z', machine, event: 'RTC_CHANGE', data };
};

function drain(buffer: EventBuffer): FleetEvent[] {
  const all: FleetEvent[] = [];
  for (let next = buffer.shift(); next !== undefined; next = buffer.shift()) all.push(next);
  return all;
}

test('a machine that floods the reader loses its own events, and none of another', () => {
  const buffer = new EventBuffer();
  for (let at = 0; at < 20_000; at++) buffer.push(eventOf('captured'));
  buffer.push(eventOf('web'));
  const read = drain(buffer);
  assert.equal(read.length, 10_001);
  assert.equal(read.at(-1)?.machine, 'web');
  assert.deepEqual([buffer.takeLost(), buffer.takeLost()], [10_000, 0]);
  buffer.push(eventOf('captured'));
  assert.equal(drain(buffer).length, 1);
});

test('huge events do not take the memory of the reader', () => {
  const buffer = new EventBuffer();
  const data = { text: 'x'.repeat(1024 * 1024) };
  for (let at = 0; at < 100; at++) buffer.push(eventOf('captured', data));
  buffer.push(eventOf('web'));
  const read = drain(buffer);
  assert.ok(read.length < 6, String(read.length));
  assert.equal(read.at(-1)?.machine, 'web');
});
