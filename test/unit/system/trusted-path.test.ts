import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  inTrustedFolder,
  openTrusted,
  readTrustedText,
  trustFolder,
  trustPath,
} from '../../../src/system/trust/trusted-path.ts';
import { tempDir } from '../../support/temp-root.ts';

/** A user, and a group, that nobody else is. */
const STRANGER = 64_321;

const NEEDS_ROOT = process.getuid?.() === 0 ? false : 'only root can make files of other users';

/** A tree of this user: `a/b/file`. */
function makeTree(dir: string): string {
  mkdirSync(join(dir, 'a/b'), { recursive: true });
  for (const folder of ['', 'a', 'a/b']) chmodSync(join(dir, folder), 0o755);
  const file = join(dir, 'a/b/file');
  writeFileSync(file, 'text');
  chmodSync(file, 0o644);
  return file;
}

test('a file of this user in his own folders is trusted, also below /tmp and through his own links', (t) => {
  const dir = tempDir(t);
  const file = makeTree(dir);
  symlinkSync('a', join(dir, 'link'));
  symlinkSync(`${dir}/link/b/../b/file`, join(dir, 'far'));
  for (const path of [file, join(dir, 'link/b/file'), join(dir, 'far'), `${dir}/./a//b/file`, join(dir, 'a/b')]) {
    assert.ok(trustPath(path).stats !== undefined, path);
  }
  assert.equal(trustPath(join(dir, 'far')).path, file);
  assert.equal(readTrustedText(join(dir, 'far'), 100), 'text');
  assert.deepEqual(trustPath('/'), { path: '/', stats: trustPath('/').stats });
});

test('what is missing is no distrust, wherever it is missing', (t) => {
  const dir = tempDir(t);
  makeTree(dir);
  for (const path of ['a/none', 'a/none/below', 'a/b/file/below']) {
    assert.equal(trustPath(join(dir, path)).stats, undefined);
    assert.equal(openTrusted(join(dir, path)), undefined);
  }
});

for (const [what, spoil, component, reason] of [
  [
    'a file of another user',
    (dir: string) => chownSync(join(dir, 'a/b/file'), STRANGER, 0),
    'a/b/file',
    /belongs to user/,
  ],
  ['a folder of another user', (dir: string) => chownSync(join(dir, 'a/b'), STRANGER, 0), 'a/b', /belongs to user/],
  ['one above', (dir: string) => chownSync(join(dir, 'a'), STRANGER, 0), 'a', /belongs to user/],
  ['a file that all may write', (dir: string) => chmodSync(join(dir, 'a/b/file'), 0o646), 'a/b/file', /by every user/],
  ['a folder that all may write', (dir: string) => chmodSync(join(dir, 'a'), 0o757), 'a', /by every user/],
  [
    'a file that a group may write',
    (dir: string) => {
      chownSync(join(dir, 'a/b/file'), 0, STRANGER);
      chmodSync(join(dir, 'a/b/file'), 0o664);
    },
    'a/b/file',
    /by group "64321"/,
  ],
  [
    "a file that root's group may write",
    (dir: string) => chmodSync(join(dir, 'a/b/file'), 0o664),
    'a/b/file',
    /by group/,
  ],
] as const) {
  test(`${what} is not trusted, and named`, { skip: NEEDS_ROOT }, (t) => {
    const dir = tempDir(t);
    const file = makeTree(dir);
    spoil(dir);
    const expected = { code: 'QEMU_NOT_PERMITTED', message: reason };
    assert.throws(() => trustPath(file), expected);
    assert.throws(
      () => trustPath(file),
      (error: Error) => {
        const named = component === 'a/b/file' ? 'it' : `"${join(dir, component)}"`;
        return error.message.startsWith(`Cannot trust "${file}": ${named} `);
      },
    );
    assert.throws(() => openTrusted(file), expected);
    symlinkSync(file, join(dir, 'link'));
    assert.throws(() => openTrusted(join(dir, 'link')), expected, 'through a link of ours');
  });
}

test('a folder whose access control list lets a user write is not trusted, though its group has no member', {
  skip: NEEDS_ROOT,
}, (t) => {
  const dir = tempDir(t);
  const file = makeTree(dir);
  const folder = join(dir, 'a');
  // A group that nobody is in, as that of /usr/local is on some hosts.
  chownSync(folder, 0, emptyGroup());
  chmodSync(folder, 0o775);
  assert.ok(trustPath(file).stats !== undefined);
  const other = join(dir, 'other');
  mkdirSync(other);
  writeFileSync(join(other, 'file'), 'text');
  chownSync(other, 0, emptyGroup());
  chmodSync(other, 0o755);
  execFileSync('setfacl', ['--modify', `user:${STRANGER}:rwx`, other]);
  assert.equal(lstatSync(other).mode & 0o777, 0o775, 'the mode shows the mask of the list');
  assert.throws(() => trustPath(join(other, 'file')), {
    code: 'QEMU_NOT_PERMITTED',
    message: /can be written by group/,
  });
});

/** A group of this host without members. */
function emptyGroup(): number {
  const passwd = readFileSync('/etc/passwd', 'utf8');
  const primary = new Set(passwd.split('\n').map((line) => line.split(':')[3]));
  const groups = readFileSync('/etc/group', 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(':'));
  const found = groups.find(([, , gid, members]) => members === '' && gid !== '0' && !primary.has(gid));
  return Number(found?.[2]);
}

test('work in a folder stays in it when another user renames it in the folder above', { skip: NEEDS_ROOT }, (t) => {
  const dir = tempDir(t);
  const folder = join(dir, 'log');
  mkdirSync(folder);
  inTrustedFolder(folder, (place) => {
    renameSync(folder, join(dir, 'away'));
    mkdirSync(folder);
    writeFileSync(join(place, 'file'), 'text');
  });
  assert.deepEqual(readdirSync(folder), []);
  assert.deepEqual(readdirSync(join(dir, 'away')), ['file']);
  rmdirSync(folder);
  symlinkSync('away', folder);
  assert.throws(() => inTrustedFolder(folder, () => undefined), { code: 'QEMU_IO' });
  unlinkSync(folder);
  mkdirSync(folder);
  chownSync(folder, STRANGER, STRANGER);
  assert.throws(() => inTrustedFolder(folder, () => undefined), { code: 'QEMU_NOT_PERMITTED' });
});

test('a folder used by descriptor may be in one that a group writes to, and the folders above that lead nowhere else', {
  skip: NEEDS_ROOT,
}, (t) => {
  const dir = tempDir(t);
  const folder = join(dir, 'srv/log/qemu-init');
  mkdirSync(folder, { recursive: true });
  chownSync(join(dir, 'srv/log'), 0, STRANGER);
  chmodSync(join(dir, 'srv/log'), 0o775);
  trustFolder(folder);
  assert.throws(() => trustPath(folder), { message: /srv\/log" can be written by group/ });
  trustFolder(join(dir, 'srv/log/missing'));
  trustFolder(join(dir, 'srv/missing/missing'));
  for (const [path, mode, owner] of [
    ['srv/log', 0o777, 0],
    ['srv/log', 0o775, STRANGER],
    ['srv', 0o775, 0],
    ['srv', 0o755, STRANGER],
  ] as const) {
    const spoilt = join(dir, path);
    const { mode: before } = lstatSync(spoilt);
    chmodSync(spoilt, mode);
    chownSync(spoilt, owner, STRANGER);
    assert.throws(() => trustFolder(folder), { code: 'QEMU_NOT_PERMITTED' }, `${path} ${mode.toString(8)} ${owner}`);
    chownSync(spoilt, 0, STRANGER);
    chmodSync(spoilt, before);
  }
  trustFolder(folder);
});

test('a link of ours that ends in a folder it passes through is judged by that folder', { skip: NEEDS_ROOT }, (t) => {
  const dir = tempDir(t);
  makeTree(dir);
  chmodSync(join(dir, 'a'), 0o1777);
  for (const target of ['a/b/..', 'a/.']) {
    symlinkSync(target, join(dir, 'link'));
    assert.throws(() => trustPath(join(dir, 'link')), { message: /by every user/ }, target);
    unlinkSync(join(dir, 'link'));
  }
});

/** As a ls(1) that knows nothing of access control lists: BusyBox has none, and prints the same otherwise. */
const PLAIN_LS =
  '#!/bin/sh\n[ "$1" != --version ] || { echo "BusyBox v1.36.1"; exit; }\nexec stat -c "%A 1 root" -- "$3"\n';

test('a ls that cannot tell of access control lists is not believed', { skip: NEEDS_ROOT }, (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'ls'), PLAIN_LS, { mode: 0o755 });
  const module = new URL('../../../src/system/trust/access-list.js', import.meta.url).href;
  const code = `import { hasAccessList } from '${module}'; console.log(hasAccessList('${dir}'))`;
  const ask = (script: string): string =>
    execFileSync('unshare', ['--mount', 'sh', '-ec', script, 'sh', process.execPath, code], { encoding: 'utf8' });
  assert.equal(ask('"$1" --input-type=module --eval "$2"'), 'false\n');
  assert.equal(ask(`mount --bind ${dir}/ls /bin/ls; "$1" --input-type=module --eval "$2"`), 'true\n');
});

test("another user's link is not followed, and not in a sticky folder either", { skip: NEEDS_ROOT }, (t) => {
  const dir = tempDir(t);
  const file = makeTree(dir);
  chmodSync(join(dir, 'a'), 0o1777);
  symlinkSync(file, join(dir, 'a/link'));
  assert.ok(trustPath(file).stats !== undefined, 'a sticky folder above is fine');
  assert.ok(trustPath(join(dir, 'a/link')).stats !== undefined);
  lchownSync(join(dir, 'a/link'), STRANGER, STRANGER);
  assert.throws(() => trustPath(join(dir, 'a/link')), { message: /link": it belongs to user/ });
  assert.throws(() => trustPath(join(dir, 'a')), { message: /by every user/ }, 'as the folder itself it is not');
  assert.throws(() => trustFolder(join(dir, 'a')), { message: /by every user/ });
});

test('a FIFO, a folder and links without end are refused at once', (t) => {
  const dir = tempDir(t);
  execFileSync('mkfifo', ['-m', '644', join(dir, 'fifo')]);
  symlinkSync('round', join(dir, 'round'));
  for (const name of ['fifo', '.', 'round'])
    assert.throws(() => openTrusted(join(dir, name)), { code: 'QEMU_IO' }, name);
});

test('a file is read to a limit', (t) => {
  const dir = tempDir(t);
  const file = makeTree(dir);
  assert.throws(() => readTrustedText(file, 3), { code: 'QEMU_IO' });
  const fd = openTrusted(file);
  assert.ok(fd !== undefined);
  assert.equal(readFileSync(fd, 'utf8'), 'text');
  closeSync(fd);
});
