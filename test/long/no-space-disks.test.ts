import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { guestDisk } from '../support/guest-disk.ts';
import { type JsonObject, type Lab, lab, until } from '../support/lab.ts';
import { qemuImg } from '../support/odd-images.ts';
import { enterOwnMounts, makeReadOnly, mountSmall, unmount } from '../support/own-mounts.ts';
import { checkRecords, lastWritten, writerDisk, writerGuest, writerMachine } from '../support/writer-guest.ts';

await enterOwnMounts();

/** Takes what room there is, whoever takes some meanwhile. */
function fill(dir: string): void {
  spawnSync('dd', ['if=/dev/zero', `of=${join(dir, 'ballast')}`, 'bs=4k'], { stdio: 'ignore' });
}

async function jobs(root: Lab): Promise<JsonObject[]> {
  return (await root.one('jobs', 'web'))['jobs'] as JsonObject[];
}

test('a guest whose disk fills up in the middle of a backup and of a move loses no record, and both are whole', async (t) => {
  const root = lab(t);
  root.ownPorts();
  const small = join(root.dir, 'small, ü');
  const dest = join(root.dir, 'dest');
  for (const dir of [small, dest]) mkdirSync(dir);
  mountSmall(small, 64 * 1024);
  t.after(() => unmount(small));
  const image = writerDisk(join(small, 'web.qcow2'));
  root.add('web', `${writerMachine(writerGuest(root.etcDir))}DSK1="${image.replace(',', ',,')}"\n`);
  const written = (): number => lastWritten(root.console('web'));
  const goesOn = async (): Promise<void> => {
    const before = written();
    await until('it writes on', () => written() > before + 5, 180_000);
  };
  const standsStill = (): Promise<void> =>
    until('it stands still', async () => (await root.state('web')) === 'io-error', 180_000);
  await root.ok('start', 'web');
  await until('it writes', () => written() > 20, 180_000);

  const moved = join(root.etcDir, 'moved.qcow2');
  for (const [job, words] of [
    ['qi.backup.', ['backup', 'create', 'web', dest, '--rate', '8M']],
    ['qi.mirror.', ['disk', 'mirror', 'web', 'DSK1', moved, '--rate', '2M']],
  ] as const) {
    const call = root.spawn('qemu-init', words);
    await until('it copies', async () => (await jobs(root)).some(({ id }) => String(id).startsWith(job)));
    fill(small);
    await standsStill();
    const { code, stderr } = await call.result;
    assert.equal(code, 0, stderr);
    if (job === 'qi.mirror.') break;
    const { code: still, stderr: why } = await root.init('resume', 'web');
    assert.equal(still, 1);
    assert.match(why, /DSK1 .*has no room on ".*small, ü"/);
    rmSync(join(small, 'ballast'));
    await root.ok('resume', 'web');
    await goesOn();
  }
  // Where it is now there is room.
  await root.ok('resume', 'web');
  await goesOn();
  const end = written();
  await root.ok('stop', 'web', '--force');
  const { last, wrong } = checkRecords(moved);
  assert.deepEqual(wrong, []);
  assert.ok(last >= end, `${last} of ${end}`);
  assert.doesNotMatch(root.console('web'), /failed vda/);
  const [point = ''] = readdirSync(join(dest, 'web')).filter((name) => /^\d/.test(name));
  assert.deepEqual(checkRecords(join(dest, 'web', point, 'dsk1.qcow2')).wrong, []);
  qemuImg('check', moved);
});

test('a chain whose base has no room is not collapsed, nor is a snapshot merged, and both go on from where they were', async (t) => {
  const root = lab(t);
  const small = join(root.dir, 'small');
  mkdirSync(small);
  mountSmall(small, 4 * 1024);
  t.after(() => unmount(small));
  const base = join(small, 'base.qcow2');
  const top = join(root.etcDir, 'top.qcow2');
  qemuImg('create', '-q', '-f', 'qcow2', base, '32M');
  qemuImg('create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', base, top);
  execFileSync('qemu-io', ['-c', 'write -P 7 1M 16M', top], { stdio: 'ignore' });
  guestDisk(root.etcDir, { name: 'boot.img' });
  const cfg = root.add('web', `DSK1=boot.img,format=raw\nDSK2="top.qcow2,format=qcow2,backing=${base}"\n`);
  const text = readFileSync(cfg, 'utf8');
  const tries = async (): Promise<void> => {
    const { code, stderr } = await root.init('disk', 'commit', 'web', 'DSK2');
    assert.equal(code, 1, stderr);
    assert.match(stderr, /No space left on device/);
    assert.equal(readFileSync(cfg, 'utf8'), text);
    assert.deepEqual(readdirSync(join(root.stateDir, 'web')), []);
  };
  await tries();
  await root.ok('start', 'web');
  await tries();
  assert.equal(await root.state('web'), 'running');
  assert.deepEqual(await jobs(root), []);
  makeRoom(small);
  await root.ok('disk', 'commit', 'web', 'DSK2');
  await root.ok('stop', 'web', '--force');
  assert.doesNotMatch(execFileSync('qemu-io', ['-r', '-c', 'read -P 7 1M 16M', base], { encoding: 'utf8' }), /failed/);
  qemuImg('check', base);
});

test('a move or a merge that could not be noted in the file of its machine is refused before it begins', async (t) => {
  const root = lab(t);
  const images = join(root.dir, 'images');
  mkdirSync(images);
  const [base, top] = ['base.qcow2', 'top.qcow2'].map((name) => join(images, name)) as [string, string];
  qemuImg('create', '-q', '-f', 'qcow2', base, '8M');
  qemuImg('create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', base, top);
  const cfg = root.add('web', `DSK1=${guestDisk(images, { name: 'boot.img' })},format=raw\nDSK2=${top},format=qcow2\n`);
  const text = readFileSync(cfg, 'utf8');
  await root.ok('start', 'web');
  makeReadOnly(root.etcDir);
  t.after(() => unmount(root.etcDir));
  for (const words of [
    ['disk', 'mirror', 'web', 'DSK2', join(images, 'copy.qcow2')],
    ['disk', 'commit', 'web', 'DSK2'],
  ]) {
    const { code, stderr } = await root.init(...words);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /Cannot write ".*web-qemu\.cfg"\n.*read-only/i);
    assert.deepEqual(readdirSync(images).sort(), ['base.qcow2', 'boot.img', 'top.qcow2']);
    assert.equal(await root.state('web'), 'running');
    assert.deepEqual(await jobs(root), []);
  }
  assert.equal(readFileSync(cfg, 'utf8'), text);
  await root.ok('stop', 'web', '--force');
});

function makeRoom(dir: string): void {
  execFileSync('mount', ['-o', 'remount,size=64m', dir]);
}
