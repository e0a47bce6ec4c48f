import assert from 'node:assert/strict';
import { test } from 'node:test';
import { uptime } from '../../../src/cli/init/status.ts';

test('uptime is a clock, with days in front', () => {
  assert.equal(uptime(0), '00:00:00');
  assert.equal(uptime(59), '00:00:59');
  assert.equal(uptime(3_661), '01:01:01');
  assert.equal(uptime(86_399), '23:59:59');
  assert.equal(uptime(86_400), '1d 00:00:00');
  assert.equal(uptime(1_000 * 86_400 + 1), '1000d 00:00:01');
});
