import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { notTaken } from '../../../../src/machine/move/not-taken.ts';
import { tempRoot } from '../../../support/temp-root.ts';

test('a QEMU that did not take a guest is reported with what it printed last', (t) => {
  const log = join(tempRoot(t).dir, 'web.log');
  writeFileSync(log, 'of an earlier run\n');
  const start = 'of an earlier run\n'.length;
  assert.equal(notTaken('The new QEMU', { log }, start).message, 'The new QEMU has ended');
  writeFileSync(log, 'of an earlier run\nload of migration failed\n');
  const { message, hint } = notTaken('The new QEMU', { log }, start);
  assert.equal(message, 'The new QEMU has ended: load of migration failed');
  assert.match(hint ?? '', /web\.log/);
});
