import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CliResult } from '../support/cli.ts';
import { assertDocument } from '../support/documents.ts';
import { guestDisk } from '../support/guest-disk.ts';
import { type Lab, LIGHT, lab, until } from '../support/lab.ts';

const MIB = 1024 ** 2;
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJq3l6Ncbrx5pVp3z5Zk7r2bqvN6yqv3WZl7f0y2abcd me@here\n';

const qemuImg = (...args: readonly string[]): string => execFileSync('qemu-img', [...args], { encoding: 'utf8' });
const info = (path: string): Readonly<Record<string, unknown>> =>
  JSON.parse(qemuImg('info', '-U', '--output=json', path));

/** Keys that make a machine start fast. */
const LIGHT_KEYS = LIGHT.trim().split('\n');

/** The tiny guest as a qcow2 image in a folder of images. */
function guestImage(root: Lab, name = 'guest.qcow2'): string {
  const folder = join(root.dir, 'images');
  mkdirSync(folder, { recursive: true });
  guestDisk(folder, { name: 'guest.img' });
  const image = join(folder, name);
  qemuImg('convert', '-O', 'qcow2', join(folder, 'guest.img'), image);
  return image;
}

test('create copies an image to a disk of the wanted size, and the guest in it runs', async (t) => {
  const root = lab(t);
  const image = guestImage(root);
  const before = readFileSync(image);
  const created = await root.one(
    'create',
    'web',
    ...LIGHT_KEYS,
    '--image',
    image,
    '--disk',
    '64M',
    '--disk',
    '8M',
    '--start',
  );
  assert.equal(typeof created['pid'], 'number');
  await root.ok('wait', 'web', '--for', 'console=ready');
  const cfg = readFileSync(join(root.etcDir, 'web-qemu.cfg'), 'utf8');
  assert.match(cfg, /^DSK1=web\.qcow2,format=qcow2$/m);
  assert.match(cfg, /^DSK2=web-2\.qcow2,format=qcow2$/m);
  assert.equal(info(join(root.etcDir, 'web.qcow2'))['virtual-size'], 64 * MIB);
  assert.equal(info(join(root.etcDir, 'web.qcow2'))['backing-filename'], undefined);
  assert.equal(info(join(root.etcDir, 'web-2.qcow2'))['virtual-size'], 8 * MIB);
  assert.equal(statSync(join(root.etcDir, 'web.qcow2')).mode & 0o777, 0o600);
  await root.ok('stop', '--force', 'web');
  assert.ok(readFileSync(image).equals(before));
  assert.deepEqual(
    readdirSync(root.etcDir).filter((name) => name.startsWith('.')),
    [],
  );
});

test('create --linked makes an overlay, and nothing may write to its base any more', async (t) => {
  const root = lab(t);
  const image = guestImage(root);
  await root.ok('create', 'web', ...LIGHT_KEYS, '--image', image, '--linked', '--disk', '64M', '--start');
  await root.ok('wait', 'web', '--for', 'console=ready');
  await root.ok('stop', '--force', 'web');
  const disk = info(join(root.etcDir, 'web.qcow2'));
  assert.equal(disk['full-backing-filename'], image);
  assert.equal(disk['backing-filename-format'], 'qcow2');
  assert.equal(disk['virtual-size'], 64 * MIB);
  const other = await root.init('create', 'db', ...LIGHT_KEYS, `DSK1=${image}`);
  assert.match(other.stderr, /is the base of DSK1 of machine "web", and must not be written to/);
  assert.equal((await root.init('start', 'db')).code, 6);
});

test('the options that stand for keys, and those for cloud-init, are in the file and in the seed', async (t) => {
  const root = lab(t);
  root.write('id.pub', KEY);
  const words = ['--ram', '64M', '--cpus', '2', '--iso', 'a,b=c.iso', '--firmware', 'bios', '--os', 'debian'];
  const seed = ['--ssh-key', 'id.pub', '--login', 'admin', '--hostname', 'web1'];
  const { code, stdout, stderr } = await root.run('qemu-init', ['create', 'web', ...words, ...seed, '--json'], {
    cwd: root.dir,
  });
  assert.equal(code, 0, stderr);
  const document: unknown = JSON.parse(stdout);
  assertDocument(document, 'create');
  assert.match(stdout, /"port": 22\d\d/);
  const cfg = readFileSync(join(root.etcDir, 'web-qemu.cfg'), 'utf8');
  for (const line of [
    /^RAM=64M$/m,
    /^SMP=2$/m,
    /^CDR1=.*\/a,,b=c\.iso$/m,
    /^CLOUDINIT=web\.seed$/m,
    /^NIC1="?virtio-net-pci,net=user,hostfwd=tcp:127\.0\.0\.1:22\d\d-:22"?$/m,
  ]) {
    assert.match(cfg, line);
  }
  const uuid = /^UUID=(\S{36})$/m.exec(cfg)?.[1] ?? '';
  const folder = join(root.etcDir, 'web.seed');
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  const userData = readFileSync(join(folder, 'user-data'), 'utf8');
  assert.match(userData, /^#cloud-config\n\{/);
  const config = JSON.parse(userData.replace('#cloud-config\n', ''));
  assert.equal(config.users[0].name, 'admin');
  assert.deepEqual(config.users[0].ssh_authorized_keys, [KEY.trim()]);
  const metaData = JSON.parse(readFileSync(join(folder, 'meta-data'), 'utf8'));
  assert.deepEqual(metaData, { 'instance-id': uuid, 'local-hostname': 'web1' });

  await root.ok('create', 'db', '--ssh-key', join(root.dir, 'id.pub'));
  const port = (name: string): string | undefined =>
    /127\.0\.0\.1:(\d+)-/.exec(readFileSync(join(root.etcDir, `${name}-qemu.cfg`), 'utf8'))?.[1];
  assert.notEqual(port('web'), port('db'));

  writeFileSync(join(root.dir, 'key'), '-----BEGIN OPENSSH PRIVATE KEY-----\n');
  for (const [args, pattern] of [
    [['--ssh-key', join(root.dir, 'key')], /is a private key, which must not leave this host[\s\S]*key\.pub/],
    [['--ssh-key', join(root.dir, 'id.pub'), '--user-data', join(root.dir, 'key')], /cannot be combined/],
    [['--hostname', 'a_b'], /must be a host name/],
    [['--login', 'a b'], /must be the name of a user/],
    [['--user-data', join(root.dir, 'none')], /Cannot read/],
  ] as const) {
    const refused = await root.init('create', 'x', ...args);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, pattern);
  }
  assert.deepEqual(
    readdirSync(root.etcDir).filter((name) => /^\.|^x/.test(name)),
    [],
  );
});

test('an image that is not whole, or not complete in itself, is refused before anything is made', async (t) => {
  const root = lab(t);
  const good = guestImage(root);
  const at = (name: string): string => join(root.dir, 'images', name);
  writeFileSync(at('secret'), 'x'.repeat(MIB));
  qemuImg('create', '-q', '-f', 'qcow2', '-b', at('secret'), '-F', 'raw', at('backing.qcow2'));
  qemuImg('create', '-q', '-f', 'qcow2', '-u', '-b', 'nbd://127.0.0.1/x', '-F', 'raw', at('remote.qcow2'), '1M');
  qemuImg(
    'create',
    '-q',
    '-f',
    'qcow2',
    '-u',
    '-b',
    'json:{"file.filename":"/etc/shadow"}',
    '-F',
    'raw',
    at('json.qcow2'),
    '1M',
  );
  qemuImg('create', '-q', '-f', 'qcow2', '-o', `data_file=${at('data')},data_file_raw=on`, at('data.qcow2'), '1M');
  qemuImg('create', '-q', '-f', 'vmdk', '-o', 'subformat=twoGbMaxExtentFlat', at('flat.vmdk'), '1M');
  writeFileSync(at('full.raw'), Buffer.alloc(2 * MIB, 'data'));
  qemuImg('convert', '-O', 'qcow2', at('full.raw'), at('cut.qcow2'));
  truncateSync(at('cut.qcow2'), MIB);
  writeFileSync(at('a.img.xz'), Buffer.from('fd377a585a000004', 'hex'));
  writeFileSync(at('page.img'), '<!DOCTYPE html><title>404</title>');
  writeFileSync(at('empty.img'), '');
  const gpt = Buffer.alloc(MIB);
  gpt.write('EFI PART', 512);
  gpt.writeBigUInt64LE(BigInt((8 * MIB) / 512 - 1), 512 + 32);
  writeFileSync(at('gpt.img'), gpt);
  const before = readdirSync(root.etcDir);
  for (const [image, pattern] of [
    ['backing.qcow2', /names another file, ".*secret"/],
    ['remote.qcow2', /nbd:/],
    ['json.qcow2', /json:/],
    ['data.qcow2', /names another file, ".*data"/],
    ['flat.vmdk', /names another file/],
    ['cut.qcow2', /is damaged or truncated/],
    ['a.img.xz', /is compressed by xz[\s\S]*xz -dk/],
    ['page.img', /perhaps a web page/],
    ['empty.img', /is empty/],
    ['gpt.img', /is truncated: its partition table is for 8388608 bytes/],
    ['none.qcow2', /none\.qcow2/],
    ['', /is a folder/],
  ] as const) {
    for (const linked of [[], ['--linked']]) {
      const { code, stderr } = await root.init('create', 'web', '--image', at(image), ...linked);
      assert.equal(code, 1, `${image}: ${stderr}`);
      assert.match(stderr, pattern);
    }
  }
  const small = await root.init('create', 'web', '--image', at('full.raw'), '--disk', '1M');
  assert.match(small.stderr, /A disk of 1M is too small[\s\S]*at least 2M/);
  assert.deepEqual(readdirSync(root.etcDir), before);
  assert.ok(existsSync(good));
});

test('an image of another user is copied before it is looked at, and is never a base', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('takes another user');
  const root = lab(t);
  chmodSync(root.dir, 0o755);
  const image = guestImage(root);
  chownSync(image, 65_534, 65_534);
  const linked = await root.init('create', 'web', '--image', image, '--linked');
  assert.equal(linked.code, 4);
  assert.match(linked.stderr, /Cannot trust[\s\S]*leave out --linked/);
  await root.ok('create', 'web', ...LIGHT_KEYS, '--image', image);
  assert.match(qemuImg('check', join(root.etcDir, 'web.qcow2')), /No errors/);
  const shadow = root.write('images/shadow', 'root:$6$hash\n');
  const link = join(root.dir, 'images/link.img');
  execFileSync('ln', ['-s', shadow, link]);
  execFileSync('chown', ['-h', '65534', link]);
  const refused = await root.init('create', 'db', '--image', link);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /does not look like a disk, and other users can change it/);
  chmodSync(shadow, 0o600);
  const closed = await root.init('create', 'db', '--image', link);
  assert.match(closed.stderr, /link of user "nobody" leads to ".*shadow", which that user may not read/);
  // Even if it looks like a disk, and a folder is the link.
  const own = join(root.dir, 'of-root');
  mkdirSync(own, { mode: 0o700 });
  writeFileSync(join(own, 'disk.img'), readFileSync(image), { mode: 0o644 });
  rmSync(link);
  execFileSync('ln', ['-s', own, link]);
  execFileSync('chown', ['-h', '65534', link]);
  const led = await root.init('create', 'db', '--image', join(link, 'disk.img'));
  assert.match(led.stderr, /link of user "nobody" leads to ".*of-root\/disk\.img"/);
  // What everybody may read may be reached so.
  chmodSync(own, 0o755);
  await root.ok('create', 'third', '--image', join(link, 'disk.img'));
  assert.deepEqual(
    readdirSync(root.etcDir).filter((name) => /^\.|^db/.test(name)),
    [],
  );
});

test('create overwrites nothing, undoes what a full disk, Ctrl-C or a taken name ends, and removes what a killed one left', async (t) => {
  const root = lab(t);
  const image = guestImage(root);
  root.write('etc/qemu/web.qcow2', 'mine');
  const taken = await root.init('create', 'web', '--image', image);
  assert.match(taken.stderr, /web\.qcow2" exists already/);
  assert.equal(readFileSync(join(root.etcDir, 'web.qcow2'), 'utf8'), 'mine');
  mkdirSync(join(root.etcDir, 'db.seed'));
  assert.match((await root.init('create', 'db', '--hostname', 'db')).stderr, /Folder ".*db\.seed" exists already/);

  // A copy that takes a while, to be interrupted.
  const big = join(root.dir, 'images/big.raw');
  writeFileSync(big, Buffer.alloc(64 * MIB, 'data'));
  truncateSync(big, 2048 * MIB);
  const names = (): string[] => readdirSync(root.etcDir).sort();
  const before = names();
  const isAtWork = (): boolean => names().some((name) => name.startsWith('.new.qcow2'));
  const interrupted = root.spawn('qemu-init', ['create', 'new', '--image', big]);
  await until('the copy has begun', isAtWork);
  interrupted.child.kill('SIGINT');
  assert.notEqual((await interrupted.result).code, 0);
  assert.deepEqual(names(), before);

  const killed = root.spawn('qemu-init', ['create', 'new', '--image', big]);
  await until('the copy has begun', isAtWork);
  killed.child.kill('SIGKILL');
  await killed.result;
  for (const name of names().filter((each) => !before.includes(each))) assert.match(name, /^\..*\.part$/);
  await root.ok('create', 'new', '--image', image);
  assert.deepEqual(names(), [...before, 'new-qemu.cfg', 'new.qcow2', 'qemu-init.reg'].sort());

  // The registry refuses the name when everything is made.
  copyFileSync(join(root.etcDir, 'qemu-init.reg'), join(root.dir, 'reg'));
  const other = names();
  const twice = await root.init('create', 'NEW', '--image', image, '--hostname', 'x');
  assert.notEqual(twice.code, 0);
  assert.deepEqual(names(), other);
});

test('machines that are created at once have different ports, and of those with one name there is one', async (t) => {
  const root = lab(t);
  const key = root.write('id.pub', KEY);
  const create = (name: string): Promise<CliResult> =>
    root.init('create', name, '--disk', '1M', '--ssh-key', key, ...LIGHT_KEYS);
  const [one, two, ...twice] = await Promise.all([create('a'), create('b'), create('c'), create('c')]);
  assert.deepEqual([one.code, two.code], [0, 0]);
  assert.deepEqual(twice.map(({ code }) => code).sort(), [0, 1]);
  assert.match(twice.map(({ stderr }) => stderr).join(), /exists already/);
  const clones = await Promise.all([root.init('clone', 'a', 'd'), root.init('clone', 'a', 'e')]);
  assert.deepEqual(
    clones.map(({ code, stderr }) => (code === 0 ? 0 : stderr)),
    [0, 0],
  );
  const names = ['a', 'b', 'c', 'd', 'e'];
  const ports = names.map((name) => {
    const text = readFileSync(join(root.etcDir, `${name}-qemu.cfg`), 'utf8');
    return /^NIC1=.*hostfwd=tcp:127\.0\.0\.1:(\d+)-:22/m.exec(text)?.[1];
  });
  assert.equal(new Set(ports).size, names.length, ports.join());
  assert.deepEqual(
    readdirSync(root.etcDir).sort(),
    [...names.flatMap((name) => [`${name}-qemu.cfg`, `${name}.qcow2`, `${name}.seed`]), 'qemu-init.reg'].sort(),
  );
  assert.deepEqual(root.leftovers(), []);
});

test('create without arguments asks on a terminal, and prints the line that does the same', async (t) => {
  const root = lab(t);
  root.add('db');
  const asked = root.spawn('qemu-init', ['create'], { tty: true, env: { NO_COLOR: '1' } });
  for (const [question, answer] of [
    ['Name: ', 'no good'],
    ['a name has', 'db'],
    ['there is a machine "db" already', 'web'],
    ['Image or installer', '/nowhere/d.iso'],
    ['there is no file', ''],
    ['System, such as debian', 'debain'],
    ['did you mean "debian"', 'debian'],
    ['Size of the disk [20G]', '8M'],
    ['Memory [2G]', ''],
    ['Processors [2]', '1'],
    ['Network: user', ''],
    ['Start it now', 'n'],
  ] as const) {
    await asked.waitForOutput(question);
    asked.write(`${answer}\r`);
  }
  const { code, stdout } = await asked.result;
  assert.equal(code, 0, stdout);
  const line = /without questions: qemu-init (create web .*)/.exec(stdout)?.[1]?.trim() ?? '';
  assert.equal(line, 'create web --os debian --disk 8M --ram 2G --cpus 1 --net user');
  const cfg = join(root.etcDir, 'web-qemu.cfg');
  const text = readFileSync(cfg, 'utf8');
  assert.match(text, /^OS=debian$/m);
  assert.equal(info(join(root.etcDir, 'web.qcow2'))['virtual-size'], 8 * MIB);
  await root.ok('delete', '--yes', 'web');
  await root.ok(...line.split(' '));
  assert.equal(readFileSync(cfg, 'utf8'), text);
});

test('Ctrl-C, Ctrl-D and a terminal that goes away end the questions of create, and leave nothing', async (t) => {
  const root = lab(t);
  for (const [end, code] of [
    ['\x03', 130],
    ['\x04', 2],
    [undefined, undefined],
  ] as const) {
    const asked = root.spawn('qemu-init', ['create'], { tty: true });
    await asked.waitForOutput('Name: ');
    asked.write('web\r');
    await asked.waitForOutput('Image or installer');
    if (end === undefined) asked.child.kill();
    else asked.write(end);
    const result = await asked.result;
    if (code !== undefined) assert.equal(result.code, code, result.stdout);
    assert.doesNotMatch(result.stdout, /Internal error/);
  }
  await until('nothing runs any more', () => root.leftovers().length === 0);
  assert.deepEqual(readdirSync(root.etcDir), []);
  for (const args of [['create'], ['create', '--disk', '8M']]) {
    const refused = await root.init(...args);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /No name was given.*create web --disk 8G/s);
  }
});
