import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { backupLab, MIB } from '../support/backup-lab.ts';
import { lab, until } from '../support/lab.ts';
import { GUEST_MS } from '../support/linux-guest.ts';
import { enterOwnMounts, makeReadOnly, mountSmall, unmount } from '../support/own-mounts.ts';
import { checkRecords, lastWritten, writerDisk, writerGuest, writerMachine } from '../support/writer-guest.ts';

await enterOwnMounts();

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

test('a full file system fails the backup and leaves nothing, or makes it wait; no change is missed', async (t) => {
  const host = backupLab(t);
  mountSmall(host.dest, 24 * 1024);
  t.after(() => unmount(host.dest));
  await host.ok('start', 'web');
  const { point: parent } = await host.backUp();
  await host.poke(3, MIB, 12 * MIB);
  const full = await host.tryBackUp();
  assert.equal(full.code, 1);
  assert.match(full.stderr, /Copying DSK1 failed: No space left on device\n.*hint: the file system of ".*" is full/);
  host.assertTidy();
  const { bavail, bsize } = statfsSync(host.dest);
  assert.ok(bavail * bsize > 6 * MIB, 'the part is gone');

  const waiting = host.spawn('qemu-init', ['backup', 'create', 'web', host.dest, '--wait-for-space']);
  await until('it waits', () => waiting.stderr().includes('is full: the backup waits until there is room'));
  spawnSync('mount', ['-o', 'remount,size=128m', host.dest]);
  const { code, stdout, stderr } = await waiting.result;
  assert.equal(code, 0, stderr);
  assert.match(stdout, /web: incremental backup/);
  host.assertTidy();
  const point = readdirSync(host.points)
    .filter((name) => /^\d/.test(name))
    .toSorted()
    .at(-1);
  assert.ok(point !== parent);
  host.assertEqual(point);
});

test('a guest whose backup finds no room stands still no longer than the backup, and loses nothing', async (t) => {
  const root = lab(t);
  const dest = join(root.dir, 'dest');
  mkdirSync(dest);
  mountSmall(dest, 4 * 1024);
  t.after(() => unmount(dest));
  const disk = writerDisk(join(root.etcDir, 'one.qcow2'));
  root.add('web', `${writerMachine(writerGuest(root.etcDir))}DSK1=one.qcow2\n`);
  await root.ok('start', 'web');
  const written = (): number => lastWritten(root.console('web'));
  const writesOn = async (): Promise<void> => {
    const before = written();
    await until('the guest writes on', () => written() > before + 1, GUEST_MS);
  };
  await until('the guest has written more than fits', () => statSync(disk).blocks * 512 > 8 * MIB, GUEST_MS);
  const failed = await root.init('backup', 'create', 'web', dest);
  assert.equal(failed.code, 1, failed.stderr);
  assert.match(failed.stderr, /Copying DSK1 failed: No space left on device/);
  await writesOn();

  const waiting = root.spawn('qemu-init', ['backup', 'create', 'web', dest, '--wait-for-space']);
  await until('the guest stands still', () => waiting.stderr().includes('its guest stands still until'), GUEST_MS);
  assert.equal(await root.state('web'), 'io-error');
  waiting.child.kill('SIGINT');
  assert.equal((await waiting.result).code, 130);
  await writesOn();

  const patient = root.spawn('qemu-init', ['backup', 'create', 'web', dest, '--wait-for-space']);
  await until('the guest stands still', () => patient.stderr().includes('its guest stands still until'), GUEST_MS);
  spawnSync('mount', ['-o', 'remount,size=128m', dest]);
  await writesOn();
  assert.equal((await patient.result).code, 0, patient.stderr());
  await writesOn();
  await root.ok('stop', 'web', '--force');
  const { last, wrong } = checkRecords(disk);
  assert.ok(last >= written());
  assert.deepEqual(wrong, []);
});

test('a destination that is missing, read-only or of other users is refused before anything is done', async (t) => {
  const host = backupLab(t);
  const refused = async (folder: string, code: number, reason: RegExp): Promise<void> => {
    const result = await host.init('backup', 'create', 'web', folder);
    assert.equal(result.code, code, result.stderr);
    assert.match(result.stderr, reason);
  };
  await refused(join(host.dir, 'none'), 1, /none" does not exist\n.*mount the file system/);
  await refused(host.write('file', ''), 1, /file" is not a folder/);
  const open = join(host.dir, 'open');
  mkdirSync(open);
  chmodSync(open, 0o777);
  await refused(open, 4, /Cannot trust ".*open": it can be written by every user/);
  makeReadOnly(host.dest);
  t.after(() => unmount(host.dest));
  await refused(host.dest, 1, /read-only/);
  assert.match(await host.ok('jobs'), /^$/);
});

for (const mode of [0o755, 0o700]) {
  const title = mode === 0o700 ? 'may not even look into' : 'may not write to';
  test(`QEMU of another user in its sandbox backs up to a folder that it ${title}, and keeps nothing there`, {
    skip: isRoot ? false : 'needs root',
  }, async (t) => {
    const host = backupLab(t, 'RUNAS=nobody\nSANDBOX=on\nNETIF=managed\n');
    chmodSync(host.dir, 0o711);
    const image = join(host.etcDir, 'web.qcow2');
    chownSync(image, NOBODY, NOBODY);
    chmodSync(host.dest, mode);
    // As systemd has it on a host: what is mounted later shows up in the mounts of QEMU.
    assert.equal(spawnSync('mount', ['--make-rshared', '/']).status, 0);
    t.after(() => spawnSync('mount', ['--make-rprivate', '/']));
    // The images are in a folder of root, too.
    await host.ok('start', 'web');
    await host.backUp();
    await host.poke(9, 4 * MIB, MIB);
    const { kind, point } = await host.backUp();
    assert.equal(kind, 'incremental');
    host.assertEqual(point);
    await host.ok('stop', 'web', '--force');
    const stopped = await host.backUp();
    assert.equal(stopped['kind'], 'incremental');
    host.assertEqual(stopped['point']);
    for (const name of readdirSync(host.points).filter((each) => /^\d/.test(each))) {
      for (const file of readdirSync(join(host.points, name))) {
        const stats = statSync(join(host.points, name, file));
        assert.deepEqual([stats.uid, stats.mode & 0o777], [0, 0o600], file);
      }
    }
    assert.equal(statSync(image).uid, NOBODY);
    host.assertTidy();
    assert.deepEqual(host.leftovers(), []);
    assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), /qemu-init\/web/);
  });
}

test('an image that the user of QEMU has made lead elsewhere is no backup', {
  skip: isRoot ? false : 'needs root',
}, async (t) => {
  const host = backupLab(t, 'RUNAS=nobody\nNETIF=managed\n');
  chmodSync(host.dir, 0o711);
  chownSync(join(host.etcDir, 'web.qcow2'), NOBODY, NOBODY);
  await host.ok('start', 'web');
  const call = host.spawn('qemu-init', ['backup', 'create', 'web', host.dest, '--rate', '2M']);
  await until('it copies', async () => (await host.ok('jobs', 'web')).includes('qi.backup.dsk1'));
  const part = readdirSync(host.points).find((name) => name.endsWith('.part')) ?? '';
  letLeadTo(join(host.points, part, 'dsk1.qcow2'), '/etc/shadow');
  const { code, stderr } = await call.result;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /is not the image that was to be written/);
  host.assertTidy();
});

/** Gives an image a backing file, as its owner can: docs/interop/qcow2.txt of QEMU. */
function letLeadTo(path: string, backing: string): void {
  const field = Buffer.alloc(12);
  field.writeBigUInt64BE(4096n);
  field.writeUInt32BE(backing.length, 8);
  const file = openSync(path, 'r+');
  writeSync(file, backing, 4096, 'latin1');
  writeSync(file, field, 0, field.length, 8);
  closeSync(file);
}
