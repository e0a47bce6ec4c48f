import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs, {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { QemuError } from '../../../src/base/errors.ts';
import { ensureDir } from '../../../src/system/files/files.ts';
import { LogFollower } from '../../../src/system/files/log/follow-log.ts';
import { appendToLog, LOG_LIMIT_BYTES, openLog, readTail, sizeOf } from '../../../src/system/files/log/log-file.ts';
import { trimLog } from '../../../src/system/files/log/trim-log.ts';
import { tempDir } from '../../support/temp-root.ts';

/** A user that nobody else is. */
const QEMU_USER = 64_321;

function text(letter: string, bytes = LOG_LIMIT_BYTES + 1): Buffer {
  return Buffer.alloc(bytes, letter);
}

test('of a log that a captured QEMU made a setuid program only the bytes are taken over', (t) => {
  const dir = tempDir(t);
  const log = join(dir, 'web.console');
  writeFileSync(log, Buffer.concat([text('a'), text('b', LOG_LIMIT_BYTES)]));
  if (process.getuid?.() === 0) chownSync(log, QEMU_USER, QEMU_USER);
  chmodSync(log, 0o6755);
  trimLog(log);
  const copy = lstatSync(`${log}.1`);
  assert.equal(copy.mode & 0o7777, 0o600);
  assert.equal(copy.uid, process.getuid?.());
  assert.equal(copy.gid, process.getgid?.());
  assert.ok(readFileSync(`${log}.1`).equals(text('b', LOG_LIMIT_BYTES)), 'it is the last 4 MiB');
  assert.equal(sizeOf(log), 0);
  assert.deepEqual(readdirSync(dir).sort(), ['web.console', 'web.console.1']);
});

test('a sparse log of 1 TiB costs neither time nor room, to shorten or to read', (t) => {
  const log = join(tempDir(t), 'web.console');
  writeFileSync(log, '');
  truncateSync(log, 2 ** 40);
  const began = performance.now();
  assert.equal(readTail(log, 0, 1000).length, 1000);
  trimLog(log);
  assert.ok(performance.now() - began < 1500, 'a look at a machine has 2 s');
  assert.equal(sizeOf(log), 0);
  assert.ok(lstatSync(`${log}.1`).blocks * 512 <= 2 * LOG_LIMIT_BYTES);
});

test('what takes the place of a log, a link or a FIFO, is neither followed nor waited for', (t) => {
  const dir = tempDir(t);
  const precious = join(dir, 'precious');
  writeFileSync(precious, text('p'));
  symlinkSync(precious, join(dir, 'link'));
  execFileSync('mkfifo', [join(dir, 'fifo')]);
  mkdirSync(join(dir, 'folder'));
  for (const name of ['link', 'fifo', 'folder', 'missing']) {
    const path = join(dir, name);
    trimLog(path);
    if (name !== 'missing') {
      appendToLog(path, 'line');
      assert.throws(() => openLog(path, 0o600), { code: 'QEMU_IO' }, name);
    }
  }
  assert.equal(readTail(join(dir, 'fifo'), 0, 100), '');
  assert.throws(() => readTail(join(dir, 'link'), 0, 100), { code: 'QEMU_IO' });
  assert.ok(readFileSync(precious).equals(text('p')));
  assert.deepEqual(readdirSync(dir).sort(), ['fifo', 'folder', 'link', 'precious']);
});

test('a file that is in the way of the copy, or a link, leaves the log and what it leads to alone', (t) => {
  const dir = tempDir(t);
  const log = join(dir, 'web.log');
  writeFileSync(join(dir, 'precious'), 'p');
  writeFileSync(log, text('a'));
  symlinkSync('precious', `${log}.1.new`);
  trimLog(log);
  assert.equal(readFileSync(join(dir, 'precious'), 'utf8'), 'p');
  assert.equal(sizeOf(log), LOG_LIMIT_BYTES + 1, 'another process seems to be at it');
});

test('a follower misses nothing of a log that is shortened and grows past its old end between two looks', (t) => {
  const log = join(tempDir(t), 'web.console');
  writeFileSync(log, 'before\n');
  const follower = new LogFollower(log);
  assert.equal(follower.before(), 'before\n');
  const follow = (): string => {
    let read = '';
    for (;;) {
      const piece = follower.next();
      if (piece.length === 0) return read;
      read += piece.toString();
    }
  };
  appendFileSync(log, 'one\n');
  assert.equal(follow(), 'one\n');
  const rest = Array.from({ length: 500_000 }, (_, line) => `line ${line}\n`).join('');
  appendFileSync(log, rest);
  follower.next();
  appendFileSync(log, 'last of the old\n');
  const seen = follow();
  assert.ok(seen.endsWith('last of the old\n'));
  appendFileSync(log, 'unseen\n');
  trimLog(log);
  // Longer than the old one was.
  appendFileSync(log, 'new\n'.repeat(2_000_000));
  const after = follow();
  assert.ok(after.startsWith('unseen\n'), after.slice(0, 50));
  assert.equal(after.slice(-4), 'new\n');
});

test('a log is neither made, read nor shortened in a folder that another user has put in the place of ours', {
  skip: process.getuid?.() === 0 ? false : 'only root can make folders of other users',
}, (t) => {
  const dir = tempDir(t);
  const folder = join(dir, 'qemu-init');
  const theirs = join(dir, 'theirs');
  mkdirSync(theirs);
  writeFileSync(join(theirs, 'web.log'), text('x'));
  chownSync(theirs, QEMU_USER, QEMU_USER);
  for (const replace of [() => symlinkSync(theirs, folder), () => renameSync(theirs, folder)]) {
    replace();
    const log = join(folder, 'web.log');
    assert.throws(() => openLog(log, 0o600), { name: 'QemuError' });
    assert.equal(readOrRefuse(log), '');
    appendToLog(log, 'line');
    trimLog(log);
    assert.equal(statSync(log).size, text('x').length);
    assert.deepEqual(readdirSync(folder), ['web.log']);
    if (lstatSync(folder).isSymbolicLink()) unlinkSync(folder);
  }
});

test('a link that takes the place of a folder of logs as soon as it is made keeps the mode of what it leads to', (t) => {
  const dir = tempDir(t);
  const folder = join(dir, 'log');
  const victim = join(dir, 'victim');
  mkdirSync(victim);
  chmodSync(victim, 0o700);
  const make = fs.mkdirSync;
  t.mock.method(fs, 'mkdirSync', (...args: Parameters<typeof make>) => {
    make(...args);
    renameSync(folder, join(dir, 'away'));
    symlinkSync(victim, folder);
  });
  syncBuiltinESMExports();
  try {
    assert.throws(() => ensureDir(folder, 0o711), { code: 'QEMU_IO' });
  } finally {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  }
  assert.equal(statSync(victim).mode & 0o7777, 0o700);
});

/** Puts a link in the place of a folder, takes it away, and lets a new folder be for a moment, over and over until its input ends. */
const SWAP = `
  const { renameSync, symlinkSync, unlinkSync } = require('node:fs');
  const step = (work) => { try { work(); } catch {} };
  const nap = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0.2);
  let isOver = false;
  process.stdin.on('end', () => { isOver = true; }).resume();
  const round = (count) => {
    step(() => renameSync('log', 'away' + count));
    step(() => symlinkSync('victim', 'log'));
    if (count % 2) nap();
    step(() => unlinkSync('log'));
    if (count % 3) nap();
    if (!isOver) setImmediate(round, count + 1);
  };
  process.stdout.write('ready');
  round(0);`;

test('who may write to the folder above that of the logs, and swaps it for a link, gets nothing of root into another folder', {
  skip: process.getuid?.() === 0 ? false : 'only root can make folders of other users',
}, async (t) => {
  const dir = tempDir(t);
  const victim = join(dir, 'victim');
  mkdirSync(victim);
  writeFileSync(join(victim, 'web.log'), text('p'));
  chmodSync(join(victim, 'web.log'), 0o600);
  chmodSync(victim, 0o700);
  chownSync(dir, 0, QEMU_USER);
  chmodSync(dir, 0o775);
  const attacker = spawn(process.execPath, ['-e', SWAP], { uid: QEMU_USER, gid: QEMU_USER, cwd: dir });
  t.after(() => void attacker.kill('SIGKILL'));
  await once(attacker.stdout, 'data');
  const log = join(dir, 'log/web.log');
  let made = 0;
  for (let tries = 0; tries < 500 || made < 10; tries++) {
    try {
      ensureDir(dirname(log), 0o711);
      closeSync(openLog(log, 0o640));
      made += 1;
    } catch (error) {
      if (!(error instanceof QemuError)) throw error;
    }
    appendToLog(log, 'line');
    trimLog(log);
    assert.equal(statSync(victim).mode & 0o7777, 0o700, 'the folder of another service is as it was');
  }
  attacker.stdin.end();
  await once(attacker, 'exit');
  assert.deepEqual(readdirSync(victim), ['web.log']);
  assert.ok(readFileSync(join(victim, 'web.log')).equals(text('p')));
});

function readOrRefuse(log: string): string {
  try {
    return readTail(log, 0, 100);
  } catch (error) {
    if (error instanceof QemuError) return '';
    throw error;
  }
}
