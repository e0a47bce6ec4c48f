import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spanSeconds } from '../../../src/fleet/doctor/units.ts';

test('a time span of systemctl is understood', () => {
  assert.equal(spanSeconds('2min 30s'), 150);
  assert.equal(spanSeconds('1h'), 3600);
  assert.equal(spanSeconds('1d 1h 1s'), 90_001);
  assert.equal(spanSeconds('500ms'), 0.5);
  assert.equal(spanSeconds('infinity'), Number.POSITIVE_INFINITY);
});
