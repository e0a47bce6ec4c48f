import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ensureDir, readTextIfExists, removeIfExists } from '../../../src/system/files/files.ts';
import { prepareFile, removeWithLeftovers, writeFileAtomic } from '../../../src/system/files/write-file.ts';
import { tempDir } from '../../support/temp-root.ts';

function modeOf(path: string): number {
  return statSync(path).mode & 0o7777;
}

test('readTextIfExists() tells a missing file from one that cannot be read', (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'file'), 'ä\n');
  assert.equal(readTextIfExists(join(dir, 'file')), 'ä\n');
  assert.equal(readTextIfExists(join(dir, 'missing')), undefined);
  assert.equal(readTextIfExists(join(dir, 'file/below')), undefined);
  assert.throws(() => readTextIfExists(dir), { code: 'QEMU_IO', message: `Cannot read "${dir}"` });
});

test('writeFileAtomic() replaces a file and leaves nothing else behind', (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'file');
  for (const text of ['first', 'second, longer', '']) {
    writeFileAtomic(path, text, 0o600, { durable: true });
    assert.equal(readFileSync(path, 'utf8'), text);
  }
  assert.equal(modeOf(path), 0o600);
  assert.deepEqual(readdirSync(dir), ['file']);
});

test('writeFileAtomic() keeps the mode of an existing file, and gives exactly the one asked for', (t) => {
  const path = join(tempDir(t), 'file');
  const before = process.umask(0o077);
  t.after(() => process.umask(before));
  writeFileSync(path, 'old');
  chmodSync(path, 0o664);
  writeFileAtomic(path, 'new');
  assert.equal(modeOf(path), 0o664);
  writeFileAtomic(path, 'newer', 0o644);
  assert.equal(modeOf(path), 0o644);
});

test('writeFileAtomic() writes through a symbolic link, which stays one', (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'elsewhere'));
  writeFileSync(join(dir, 'elsewhere/target'), 'old');
  symlinkSync('elsewhere/target', join(dir, 'link'));
  writeFileAtomic(join(dir, 'link'), 'new');
  assert.ok(lstatSync(join(dir, 'link')).isSymbolicLink());
  assert.equal(readFileSync(join(dir, 'elsewhere/target'), 'utf8'), 'new');
});

test('writeFileAtomic() that fails says which folder is missing', (t) => {
  const dir = tempDir(t);
  assert.throws(() => writeFileAtomic(join(dir, 'no/such/file'), 'text'), {
    code: 'QEMU_IO',
    hint: `"${join(dir, 'no')}" does not exist`,
  });
});

test('writeFileAtomic() that fails leaves what was there, and no temporary file', (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'folder/inside'), { recursive: true });
  assert.throws(() => writeFileAtomic(join(dir, 'folder'), 'text'), { code: 'QEMU_IO' });
  assert.deepEqual(readdirSync(dir), ['folder']);
  assert.ok(existsSync(join(dir, 'folder/inside')));
});

test('writeFileAtomic() clears away what killed writers of the same file left, and nothing else', (t) => {
  const dir = tempDir(t);
  const longAgo = Date.now() / 1000 - 3600;
  for (const name of ['.file.1-1.tmp', '.other.1-1.tmp', '.file.2-1.tmp']) writeFileSync(join(dir, name), 'half');
  for (const name of ['.file.1-1.tmp', '.other.1-1.tmp']) utimesSync(join(dir, name), longAgo, longAgo);
  writeFileAtomic(join(dir, 'file'), 'text');
  assert.deepEqual(readdirSync(dir).sort(), ['.file.2-1.tmp', '.other.1-1.tmp', 'file']);
});

test('removeIfExists() says whether there was a file, and refuses a folder', (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'file'), '');
  assert.equal(removeIfExists(join(dir, 'file')), true);
  assert.equal(removeIfExists(join(dir, 'file')), false);
  assert.equal(removeIfExists(join(dir, 'no/file')), false);
  assert.throws(() => removeIfExists(dir), { code: 'QEMU_IO' });
});

test('removeWithLeftovers() removes a file and what killed writers of it left, and no other', (t) => {
  const dir = tempDir(t);
  for (const name of ['file', '.file.123-4.tmp', '.file.99-1.tmp', 'file2', '.file2.1-1.tmp'])
    writeFileSync(join(dir, name), '');
  for (const name of ['file', 'file', 'no/file']) removeWithLeftovers(join(dir, name));
  assert.deepEqual(readdirSync(dir).sort(), ['.file2.1-1.tmp', 'file2']);
});

test('ensureDir() gives the last folder its exact mode, and those above it 0755', (t) => {
  const dir = tempDir(t);
  const before = process.umask(0o022);
  t.after(() => process.umask(before));
  ensureDir(join(dir, 'a/b/c'), 0o770);
  assert.deepEqual(
    ['a', 'a/b', 'a/b/c'].map((path) => modeOf(join(dir, path))),
    [0o755, 0o755, 0o770],
  );
});

test('ensureDir() leaves a folder that exists as it is, and fails where something else is', (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'there'), { mode: 0o700 });
  ensureDir(join(dir, 'there'), 0o755);
  assert.equal(modeOf(join(dir, 'there')), 0o700);
  writeFileSync(join(dir, 'file'), '');
  for (const path of ['file', 'file/below']) {
    assert.throws(() => ensureDir(join(dir, path), 0o755), {
      code: 'QEMU_IO',
      hint: 'expected a folder there',
    });
  }
});

test('prepareFile() writes all but the name, which the file gets or does not', (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'file');
  writeFileSync(path, 'old', { mode: 0o640 });
  prepareFile(path, 'never').discard();
  assert.deepEqual(readdirSync(dir), ['file']);
  const prepared = prepareFile(path, 'new');
  assert.equal(readFileSync(path, 'utf8'), 'old');
  prepared.commit();
  prepared.discard();
  assert.deepEqual([readdirSync(dir), readFileSync(path, 'utf8'), modeOf(path)], [['file'], 'new', 0o640]);
  assert.throws(() => prepareFile(join(dir, 'none/file'), ''), { code: 'QEMU_IO' });
});
