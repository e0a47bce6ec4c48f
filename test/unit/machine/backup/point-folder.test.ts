import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isAhead, newPointName } from '../../../../src/machine/backup/point-folder.ts';
import { tempDir } from '../../../support/temp-root.ts';

test('a new point comes after all others, and one of the end of time is refused', (t) => {
  const dir = tempDir(t);
  const now = Date.parse('2026-11-27T03:00:00.700Z');
  assert.equal(newPointName(dir, now), '20261127-030000');
  mkdirSync(join(dir, '20261127-030000'));
  assert.equal(newPointName(dir, now), '20261127-030001');
  mkdirSync(join(dir, '20301231-235959'));
  assert.equal(newPointName(dir, now), '20310101-000000');
  mkdirSync(join(dir, '99991231-235959'));
  assert.throws(() => newPointName(dir, now), { code: 'QEMU_IO' });
});

test('a point that is named after one of the future is reported as ahead of the clock, one of the same second is not', () => {
  const now = Date.parse('2026-11-27T03:00:00.700Z');
  assert.equal(isAhead('20261127-030000', now), false);
  assert.equal(isAhead('20261127-030010', now), false);
  assert.equal(isAhead('20301231-235959', now), true);
});
