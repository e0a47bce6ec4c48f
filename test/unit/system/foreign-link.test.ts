import assert from 'node:assert/strict';
import { closeSync, lchownSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeWhole } from '../../../src/system/files/whole-file.ts';
import { openNamed } from '../../../src/system/trust/open-named.ts';
import { type Cleanup, tempRoot } from '../../support/temp-root.ts';

const NOBODY = 65_534;
const skip = process.getuid?.() !== 0 && 'only root has to mistrust links';

/** A folder `his` with a file of root's next to it. */
function scene(t: Cleanup): { readonly dir: string; readonly link: (name: string, target: string) => string } {
  const { dir } = tempRoot(t);
  mkdirSync(join(dir, 'closed'), { mode: 0o700 });
  writeFileSync(join(dir, 'closed/secret'), 'secret', { mode: 0o600 });
  mkdirSync(join(dir, 'his'));
  lchownSync(join(dir, 'his'), NOBODY, NOBODY);
  const link = (name: string, target: string): string => {
    const path = join(dir, 'his', name);
    symlinkSync(target, path);
    lchownSync(path, NOBODY, NOBODY);
    return path;
  };
  return { dir, link };
}

test('a link of another user leads root to no file that this user may not read', { skip }, (t) => {
  const { dir, link } = scene(t);
  const path = link('file', join(dir, 'closed/secret'));
  assert.throws(() => openNamed(path, () => {}), {
    code: 'QEMU_NOT_PERMITTED',
    message: /a link of user "nobody" leads to ".*\/closed\/secret", which that user may not read/,
  });
  assert.throws(() => openNamed(join(link('folder', join(dir, 'closed')), 'secret'), () => {}), /may not read/);
  const { descriptor } = openNamed(join(dir, 'closed/secret'), () => {});
  assert.equal(readFileSync(descriptor, 'utf8'), 'secret');
  closeSync(descriptor);
});

test('a link of another user leads root to no folder to write in but one of that user', { skip }, async (t) => {
  const { dir, link } = scene(t);
  const led = join(link('folder', join(dir, 'closed')), 'secret');
  await assert.rejects(writeWhole(led, 0o600, [Buffer.from('new')]), {
    code: 'QEMU_NOT_PERMITTED',
    message: /a link of user "nobody" leads to ".*\/closed", which is not that user's/,
  });
  assert.equal(readFileSync(join(dir, 'closed/secret'), 'utf8'), 'secret');
  assert.deepEqual(readdirSync(join(dir, 'closed')), ['secret']);
  // A link in the place of the file is replaced, as ever.
  const file = link('file', join(dir, 'closed/secret'));
  assert.equal(await writeWhole(file, 0o600, [Buffer.from('new')]), 3);
  assert.equal(readFileSync(file, 'utf8'), 'new');
  assert.equal(readFileSync(join(dir, 'closed/secret'), 'utf8'), 'secret');
  // One within what is that user's leads on.
  await writeWhole(join(link('own', '.'), 'other'), 0o600, [Buffer.from('more')]);
  assert.deepEqual(readdirSync(join(dir, 'his')).sort(), ['file', 'folder', 'other', 'own']);
});
