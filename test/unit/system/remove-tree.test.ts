import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { removeTree, removeWhole } from '../../../src/system/files/remove-tree.ts';
import { type Cleanup, tempDir } from '../../support/temp-root.ts';

/** A user that nobody else is. */
const QEMU_USER = 64_321;

const NEEDS_ROOT = process.getuid?.() === 0 ? false : 'only root removes the files of another user';

test('removeTree() removes a folder with all in it, a link but not its target, and what is not there', (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'kept'));
  mkdirSync(join(dir, 'tree/deep'), { recursive: true });
  writeFileSync(join(dir, 'tree/deep/file'), '');
  symlinkSync(join(dir, 'kept'), join(dir, 'link'));
  for (const name of ['tree', 'link', 'missing', 'missing/too']) removeTree(join(dir, name));
  assert.deepEqual(readdirSync(dir), ['kept']);
});

test('removeTree() finishes a removal that was interrupted', (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, '.tree.1-1.gone/deep'), { recursive: true });
  mkdirSync(join(dir, 'tree'));
  removeTree(join(dir, 'tree'));
  assert.deepEqual(readdirSync(dir), []);
});

test('removeTree() removes names that are not UTF-8, and many of them', (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'tree'));
  for (let index = 0; index < 1000; index += 1) writeFileSync(join(dir, 'tree', String(index)), '');
  mkdirSync(Buffer.concat([Buffer.from(join(dir, 'tree/')), Buffer.from([0xff, 0xfe])]));
  writeFileSync(Buffer.concat([Buffer.from(join(dir, 'tree/')), Buffer.from([0xff, 0xfe, 0x2f, 0xc3])]), '');
  removeAll(join(dir, 'tree'));
  assert.deepEqual(readdirSync(dir), []);
});

/** Each time takes two seconds at most, in which a busy host gets through few files. */
function removeAll(path: string): void {
  for (let round = 0; round < 30 && readdirSync(dirname(path)).length > 0; round += 1) removeTree(path);
}

test('removeTree() removes folders in folders, however deep, and more files than any QEMU has', (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'tree');
  mkdirSync(path);
  // Longer than any path may be.
  const script = `process.chdir(process.argv[1]);
    const { mkdirSync, writeFileSync } = require('node:fs');
    for (let index = 0; index < 11_000; index += 1) writeFileSync('f' + index, '');
    for (let depth = 0; depth < 40; depth += 1) { mkdirSync('d'.repeat(200)); process.chdir('d'.repeat(200)); }
    writeFileSync('deepest', '');`;
  assert.equal(spawnSync(process.execPath, ['-e', script, path]).status, 0);
  removeAll(path);
  assert.deepEqual(readdirSync(dir), []);
});

test('removeTree() takes the name away also when something inside has to stay', { skip: NEEDS_ROOT }, (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'tree/of-a-third/user'), { recursive: true });
  chownSync(join(dir, 'tree'), QEMU_USER, QEMU_USER);
  chownSync(join(dir, 'tree/of-a-third'), QEMU_USER + 1, QEMU_USER);
  removeTree(join(dir, 'tree'));
  assert.ok(!existsSync(join(dir, 'tree')));
  const [left = ''] = readdirSync(dir);
  assert.match(left, /^\.tree\.\d+-\d+\.gone$/);
  assert.ok(existsSync(join(dir, left, 'of-a-third/user')), 'QEMU could have moved it there');
  assert.equal(removeWhole(join(dir, left)), false);
  chownSync(join(dir, left, 'of-a-third'), QEMU_USER, QEMU_USER);
  chownSync(join(dir, left, 'of-a-third/user'), QEMU_USER, QEMU_USER);
  removeTree(join(dir, 'tree'));
  assert.deepEqual(readdirSync(dir), []);
});

/** For each folder it is told of: fills it, says so, and then swaps a folder inside for a link to the victim, over and over. */
const ATTACK = `
  const { renameSync, symlinkSync, unlinkSync, mkdirSync, writeFileSync } = require('node:fs');
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const [folder, victim] = JSON.parse(line);
    // As QEMU would have it: the folder stays the current one wherever it is moved.
    process.chdir(folder);
    for (const name of ['d', 'd/d']) mkdirSync(name);
    for (let index = 0; index < 200; index += 1) writeFileSync('d/d/' + index, '');
    symlinkSync(victim, 'l');
    process.stdout.write('ready\\n');
    const end = Date.now() + 60;
    while (Date.now() < end) {
      for (const [from, to] of [['d', 'e'], ['l', 'd'], ['d', 'l'], ['e', 'd']]) {
        try { renameSync(from, to); } catch {}
      }
    }
  });`;

function startAttacker(t: Cleanup): ChildProcess {
  const user = { uid: QEMU_USER, gid: QEMU_USER };
  const attacker = spawn(process.execPath, ['-e', ATTACK], { ...user, cwd: '/', stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => void attacker.kill('SIGKILL'));
  return attacker;
}

test('a captured QEMU that swaps folders for links during a removal gets nothing else removed', {
  skip: NEEDS_ROOT,
}, async (t) => {
  const dir = tempDir(t);
  chmodSync(dir, 0o711);
  const victim = join(dir, 'victim');
  const precious = Array.from({ length: 200 }, (_, index) => String(index));
  const attacker = startAttacker(t);
  for (let round = 0; round < 15; round += 1) {
    mkdirSync(join(victim, 'd'), { recursive: true });
    for (const name of precious) writeFileSync(join(victim, 'd', name), '');
    const folder = join(dir, 'machine', 'qemu');
    mkdirSync(folder, { recursive: true });
    chownSync(folder, QEMU_USER, QEMU_USER);
    attacker.stdin?.write(`${JSON.stringify([folder, victim])}\n`);
    if (attacker.stdout) await once(attacker.stdout, 'data');
    removeTree(folder);
    assert.ok(!existsSync(folder));
    assert.equal(readdirSync(join(victim, 'd')).length, precious.length, `round ${round}`);
  }
});

test('what cannot be removed twice is set aside, told once, and no start spends its time on it again', {
  skip: NEEDS_ROOT,
}, (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'x');
  const third = (): void => {
    mkdirSync(join(path, 'theirs/deep'), { recursive: true });
    chownSync(join(path, 'theirs'), 64_322, 64_322);
  };
  const names = (): string[] => readdirSync(dir).map((name) => name.replace(/\d+-\d+/, 'N'));
  third();
  assert.deepEqual(removeTree(path), []);
  assert.deepEqual(names(), ['.x.N.gone']);
  const kept = removeTree(path);
  assert.deepEqual(names(), ['.x.N.kept']);
  assert.deepEqual(kept, [join(dir, readdirSync(dir)[0] ?? '')], 'it is told once');
  assert.deepEqual(removeTree(path), []);
  assert.deepEqual(names(), ['.x.N.kept']);
});
