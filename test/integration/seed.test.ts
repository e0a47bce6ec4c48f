import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type FatFile, fatImage } from '../../src/machine/seed/fat12.ts';
import { lab } from '../support/lab.ts';
import { LINUX_READY, linuxGuest } from '../support/linux-guest.ts';
import { startQemu } from '../support/raw-qemu.ts';
import { type Cleanup, tempDir, tempRoot } from '../support/temp-root.ts';

const MIB = 1024 ** 2;

/** The environment of programs that must read names as UTF-8. */
const env = {
  ...process.env,
  PATH: `${process.env['PATH']}:/usr/sbin:/sbin`,
  LC_ALL: 'C.UTF-8',
  MTOOLS_SKIP_CHECK: '1',
};

/** What the programs of others find in an image. */
function examine(t: Cleanup, image: Buffer): { read: (name: string) => Buffer; list: string; label: string } {
  const path = join(tempRoot(t).dir, 'seed.img');
  writeFileSync(path, image);
  const out = execFileSync('fsck.vfat', ['-n', path], { env, encoding: 'utf8' });
  assert.doesNotMatch(out, /differ|unused|orphan|bad|error|dirty|wrong/i);
  return {
    read: (name) => execFileSync('mtype', ['-i', path, `::${name}`], { env, maxBuffer: 64 * MIB }),
    list: execFileSync('mdir', ['-b', '-i', path, '::'], { env, encoding: 'utf8' }),
    label: execFileSync('mlabel', ['-s', '-i', path, '::'], { env, encoding: 'utf8' }),
  };
}

const bytes = (length: number): Buffer => Buffer.alloc(length, 'qemu-init 0123456789\n');

test('a FAT12 image holds files of 1 byte to 16 MiB, is clean for fsck, and reads back equal', (t) => {
  for (const sizes of [[0, 1], [4095, 4096, 4097], [MIB], [16 * MIB], [8 * MIB, 8 * MIB - 1, 1]]) {
    const files = sizes.map((size, at): FatFile => ({ name: `file ${at}.bin`, data: bytes(size) }));
    const found = examine(t, fatImage({ label: 'CIDATA', id: 0x1234abcd, files }));
    assert.match(found.label, /CIDATA/);
    for (const { name, data } of files) assert.ok(Buffer.from(data).equals(found.read(name)), `${name} of ${sizes}`);
  }
});

test('names have blanks, umlauts and any length, and short names never collide', (t) => {
  const names = ['user-data', 'USER DATA', 'Zürich Ñandú.txt', '日本語', 'a', `${'long '.repeat(50)}end`];
  const many = Array.from({ length: 40 }, (_, at) => `user-data-${at}`);
  const files = [...names, ...many].map((name) => ({ name, data: Buffer.from(name) }));
  const found = examine(t, fatImage({ label: 'CIDATA', id: 1, files }));
  for (const { name } of files) assert.ok(found.list.includes(`::/${name}\n`), name);
  assert.equal(found.read('Zürich Ñandú.txt').toString(), 'Zürich Ñandú.txt');
  assert.throws(
    () => fatImage({ label: 'CIDATA', id: 1, files: [{ name: 'a', data: bytes(33 * MIB) }] }),
    /do not fit/,
  );
});

test('Linux mounts a seed and reads files of 1 byte to 16 MiB, with umlauts in their names', async (t) => {
  const dir = tempDir(t);
  const sizes = { 'user-data': 1, 'Zürich Ñandú.txt': 4097, [`${'lang '.repeat(40)}ß`]: MIB };
  const seeds = [sizes, { 'user-data': 16 * MIB }].map((each) =>
    Object.entries(each).map(([name, size]): FatFile => ({ name, data: bytes(size) })),
  );
  const drives = seeds.flatMap((files, at) => {
    const path = join(dir, `${at}.img`);
    const image = fatImage({ label: 'CIDATA', id: at + 1, files });
    assert.ok(image.equals(fatImage({ label: 'CIDATA', id: at + 1, files })), 'the same bytes');
    writeFileSync(path, image);
    return ['-drive', `file=${path},format=raw,readonly=on,if=virtio`];
  });
  const mount = 'mkdir /tmp/$d; mount -t vfat -o ro,iocharset=utf8 /dev/$d /tmp/$d; cd /tmp/$d; md5sum *; cd /';
  // Its serial port is read in pieces, which may end within a letter.
  const script = `(for d in vda vdb; do ${mount}; done) 2>&1 | busybox base64 -w 0 >/dev/ttyS0; echo >/dev/ttyS0`;
  const modules = ['vfat', 'nls_cp437', 'nls_utf8', 'nls_ascii'];
  const { kernel, initrd, append } = linuxGuest(dir, { modules, script });
  const boot = ['-kernel', kernel, '-initrd', initrd, '-append', append];
  const qemu = startQemu(t, ['-machine', 'q35', '-cpu', 'max', '-m', '256', ...boot, ...drives]);
  await qemu.waitForSerial(LINUX_READY, 240_000);
  const [text = ''] = /^[A-Za-z0-9+/=]{100,}/m.exec(qemu.serial()) ?? [];
  const sums = seeds.flat().map(({ name, data }) => `${createHash('md5').update(data).digest('hex')}  ${name}`);
  assert.deepEqual(Buffer.from(text, 'base64').toString().trimEnd().split('\n').sort(), sums.sort());
});

test('a machine with CLOUDINIT gets its seed at each start, and nothing of it stays', async (t) => {
  const root = lab(t);
  root.add('web', 'CLOUDINIT=web.seed\nUUID=6ba7b810-9dad-41d1-80b4-00c04fd430c8\nNAME=web1\n');
  const folder = join(root.etcDir, 'web.seed');
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(join(folder, 'user-data'), '#cloud-config\n{"hostname": "web1"}\n');
  writeFileSync(join(folder, '.hidden'), 'x');
  await root.ok('start', 'web');
  const seed = root.file('web', 'seed.img');
  assert.equal(statSync(seed).mode & 0o777, 0o600);
  const first = readFileSync(seed);
  const found = examine(t, first);
  assert.equal(found.read('user-data').toString(), '#cloud-config\n{"hostname": "web1"}\n');
  assert.match(found.read('meta-data').toString(), /^instance-id: 6ba7b810-\S+\nlocal-hostname: web1\n$/);
  assert.doesNotMatch(found.list, /hidden/);
  const { stdout } = await root.cmd('-c', 'info block', 'web');
  assert.match(stdout, /seed \(seed-fmt\): .*seed\.img \(raw, read-only\)/);
  await root.ok('stop', '--force', 'web');
  assert.equal(statSync(seed, { throwIfNoEntry: false }), undefined);

  await root.ok('start', 'web');
  assert.ok(readFileSync(seed).equals(first), 'the same bytes');
  await root.ok('stop', '--force', 'web');
  writeFileSync(join(folder, 'user-data'), 'echo hello\n-----BEGIN OPENSSH PRIVATE KEY-----\n');
  const check = await root.init('check', 'web');
  assert.match(check.stdout + check.stderr, /is ignored by cloud-init[\s\S]*private key/);
  await root.ok('start', 'web');
  assert.ok(!readFileSync(seed).equals(first), 'other bytes for other files');
  await root.ok('stop', '--force', 'web');
});

test('a seed holds nothing that others could have put there', {
  skip: process.getuid?.() !== 0 && 'not root',
}, async (t) => {
  const root = lab(t);
  root.add('web', 'CLOUDINIT=web.seed\n');
  const folder = join(root.etcDir, 'web.seed');
  const userData = join(folder, 'user-data');
  const refused = async (pattern: RegExp): Promise<void> => {
    const { code, stderr } = await root.init('start', 'web');
    assert.equal(code === 0, false);
    assert.match(stderr, pattern);
  };
  await refused(/CLOUDINIT ".*web\.seed" does not exist/);
  mkdirSync(folder);
  const secret = root.write('secret', 'x');
  chmodSync(secret, 0o600);
  symlinkSync(secret, userData);
  execFileSync('chown', ['-h', '65534:65534', userData]);
  await refused(/Cannot trust ".*user-data".*belongs to user/);
  unlinkSync(userData);
  writeFileSync(userData, '');
  chownSync(userData, 65_534, 65_534);
  await refused(/Cannot trust ".*user-data"/);
  unlinkSync(userData);
  execFileSync('mkfifo', [userData]);
  await refused(/not a regular file/);
  unlinkSync(userData);
  writeFileSync(join(folder, 'a:b'), '');
  await refused(/the name "a:b" has a character that FAT does not allow/);
  unlinkSync(join(folder, 'a:b'));
  writeFileSync(userData, bytes(16 * MIB + 1));
  await refused(/a seed has room for 16 MiB/);
});
