import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ago, localTime, uptime } from '../../../src/cli/output/times.ts';

test('uptime is a clock, with days in front', () => {
  assert.equal(uptime(0), '00:00:00');
  assert.equal(uptime(59), '00:00:59');
  assert.equal(uptime(3_661), '01:01:01');
  assert.equal(uptime(86_399), '23:59:59');
  assert.equal(uptime(86_400), '1d 00:00:00');
  assert.equal(uptime(1_000 * 86_400 + 1), '1000d 00:00:01');
});

test('what is past is told in one unit, and from a week on by its date', () => {
  const now = Date.parse('2026-03-10T12:00:00Z');
  const before = (seconds: number): string => ago(new Date(now - seconds * 1000).toISOString(), now);
  assert.deepEqual([0, 4, 5, 59, 60, 3_599, 3_600, 86_399, 86_400, 6 * 86_400].map(before), [
    'just now',
    'just now',
    '5 s ago',
    '59 s ago',
    '1 min ago',
    '59 min ago',
    '1 h ago',
    '23 h ago',
    '1 d ago',
    '6 d ago',
  ]);
  assert.match(before(30 * 86_400), /^on 2026-02-0[78]$/);
  // A clock that was set back.
  assert.equal(before(-50), 'just now');
  assert.equal(ago('no time', now), '');
});

test('a time is shown as the clock of this host shows it', () => {
  assert.equal(localTime(new Date(2026, 0, 2, 3, 4, 5).toISOString()), '2026-01-02 03:04:05');
  assert.equal(localTime('no time'), '-');
});
