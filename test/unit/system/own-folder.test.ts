import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lchownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findFolder } from '../../../src/system/trust/own-folder.ts';
import { tempDir } from '../../support/temp-root.ts';

/** A user that nobody else is. */
const STRANGER = 64_321;
const NEEDS_ROOT = process.getuid?.() === 0 ? false : 'only root can make links of other users';

function identityOf(path: string): string {
  return execFileSync('stat', ['-L', '-c', '%d:%i', path], { encoding: 'utf8' }).trim();
}

test('a folder is found through own links, absolute and relative ones', (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'a/b'), { recursive: true });
  symlinkSync('a', join(dir, 'near'));
  symlinkSync(`${dir}/near/b/../b`, join(dir, 'far'));
  for (const name of ['a/b', 'near/b', 'far', 'far/.']) {
    assert.equal(findFolder(join(dir, name), []), identityOf(join(dir, 'a/b')), name);
  }
  assert.equal(findFolder('/', []), identityOf('/'));
});

test('a link of another user is not followed, wherever it is on the way, unless that user is named', {
  skip: NEEDS_ROOT,
}, (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'a/b'), { recursive: true });
  symlinkSync('/etc', join(dir, 'a/evil'));
  lchownSync(join(dir, 'a/evil'), STRANGER, STRANGER);
  symlinkSync('a/evil', join(dir, 'own'));
  for (const name of ['a/evil', 'a/evil/apt', 'own', 'own/apt']) {
    assert.throws(() => findFolder(join(dir, name), []), /QEMU_NOT_PERMITTED|is a link made by user "64321"/, name);
  }
  assert.equal(findFolder(join(dir, 'own/apt'), [STRANGER]), identityOf('/etc/apt'));
});

test('a file, a missing folder and links in a circle are not folders', (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'file'), '');
  symlinkSync('circle', join(dir, 'circle'));
  for (const name of ['file', 'none', 'file/below', 'circle']) {
    assert.throws(() => findFolder(join(dir, name), []), { code: 'QEMU_IO' }, name);
  }
});
