import assert from 'node:assert/strict';
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasNoHeader } from '../../../src/system/images/no-header.ts';
import { tempDir } from '../../support/temp-root.ts';

const QCOW2 = Buffer.concat([Buffer.from('QFI\u00fb', 'latin1'), Buffer.from([0, 0, 0, 3]), Buffer.alloc(65_536)]);

test('a plain file has no header, and has one as soon as it is another', async (t) => {
  const dir = tempDir(t);
  const file = join(dir, 'a.img');
  writeFileSync(file, Buffer.alloc(4096));
  // Longer than a tick of the clock that a change shows by: it is remembered then.
  await sleep(50);
  assert.deepEqual([hasNoHeader(file), hasNoHeader(file)], [true, true]);
  writeFileSync(file, QCOW2);
  assert.equal(hasNoHeader(file), false);
  writeFileSync(join(dir, 'b.img'), 'x');
  renameSync(join(dir, 'b.img'), file);
  assert.equal(hasNoHeader(file), true);
});

test('links, folders and what is not there take a closer look', (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'a.img'), 'x');
  symlinkSync('a.img', join(dir, 'link'));
  mkdirSync(join(dir, 'folder'));
  symlinkSync('.', join(dir, 'here'));
  for (const name of ['link', 'here/a.img', 'folder', 'missing'])
    assert.equal(hasNoHeader(join(dir, name)), false, name);
});
