import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { type Lab, LIGHT, lab } from '../support/lab.ts';
import { makeOverlay, overwrite, qemuImg } from '../support/odd-images.ts';
import { enterOwnMounts } from '../support/own-mounts.ts';
import { repoRoot } from '../support/repo.ts';
import type { Cleanup } from '../support/temp-root.ts';

const NOBODY = 65_534;

await enterOwnMounts();

test('a base that overlays rest on is read by many machines and written by none, running or not', async (t) => {
  const host = lab(t);
  const at = (name: string): string => join(host.etcDir, name);
  qemuImg('create', '-q', '-f', 'raw', at('base.img'), '1M');
  qemuImg('create', '-q', '-f', 'qcow2', '-b', 'base.img', '-F', 'raw', at('middle.qcow2'));
  for (const name of ['web', 'db']) {
    qemuImg('create', '-q', '-f', 'qcow2', '-b', 'middle.qcow2', '-F', 'qcow2', at(`${name}.qcow2`));
    host.add(name, `DSK1=${name}.qcow2\n`);
  }
  await host.ok('check', '--all');
  await host.ok('start', 'web', 'db');
  await host.ok('kill', '--all');

  linkSync(at('base.img'), at('other-name.img'));
  host.add('writer', 'DSK1=other-name.img,format=raw\n');
  const checked = await host.init('check', 'writer');
  assert.equal(checked.code, 6);
  assert.match(checked.stderr, /DSK1 ".*other-name\.img" is the base of DSK1 of machine "(web|db)"/);
  assert.match(
    (await host.init('check', 'web')).stderr,
    /DSK1 rests on ".*base\.img", which DSK1 of machine "writer" writes/,
  );
  const started = await host.init('start', 'writer');
  assert.equal(started.code, 6, started.stderr);
  assert.match(started.stderr, /must not be written to/);
  assert.equal((await host.init('doctor')).code, 1);
  host.write('etc/qemu/writer-qemu.cfg', 'DSK1=other-name.img,format=raw,readonly=on\nNIC1=e1000,net=none\n');
  await host.ok('check', 'writer');
});

test('a captured QEMU that puts a link to the image of another machine in place of its own does not keep that from starting', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can start QEMU as another user');
  const host = lab(t);
  chmodSync(host.dir, 0o755);
  const his = join(host.dir, 'his');
  mkdirSync(his);
  host.add('db');
  host.add('web', 'DSK1=../../his/web.img,format=raw\nRUNAS=nobody\nNETIF=managed\n');
  const image = join(his, 'web.img');
  writeFileSync(image, new Uint8Array(65_536));
  for (const path of [his, image]) chownSync(path, NOBODY, NOBODY);
  await host.ok('start', 'web');

  rmSync(image);
  symlinkSync(join(host.etcDir, 'db.img'), image);
  lchownSync(image, NOBODY, NOBODY);
  await host.ok('check', 'db');
  await host.ok('start', 'db');
  await host.ok('kill', 'db');
  // Root's own links mean what they say.
  lchownSync(image, 0, 0);
  assert.match((await host.init('start', 'db')).stderr, /DSK1 ".*db\.img" is DSK1 of machine "web" too/);
  await host.ok('kill', 'web');
});

test('two machines with one image may take turns, and one of them is in two disks of a machine by no name', async (t) => {
  const host = lab(t);
  const at = (name: string): string => join(host.etcDir, name);
  host.add('web');
  host.add('db', 'DSK1=./web.img\n');
  await host.ok('start', 'db');
  assert.equal((await host.init('start', 'web')).code, 6);
  await host.ok('kill', 'db');
  await host.ok('start', 'web');
  await host.ok('kill', 'web');
  // One that runs by its path alone counts as well.
  const guest = host.write('other/guest-qemu.cfg', `${LIGHT}DSK1=${at('web.img')}\n`);
  await host.ok('start', guest);
  assert.match((await host.init('check', 'web')).stderr, /DSK1 ".*web\.img" is DSK1 of machine "guest" too/);
  await host.ok('kill', 'guest');
  qemuImg('create', '-q', '-f', 'qcow2', '-b', 'web.img', '-F', 'raw', at('top.qcow2'));
  host.add('both', 'DSK1=top.qcow2,backing=web.img\nDSK2=web.img\n');
  assert.match(
    (await host.init('check', 'both')).stderr,
    /DSK2 uses ".*web\.img", the same storage as ".*web\.img" of DSK1/,
  );
});

test('storage that [custom] names is in use as that of any key, and what it only reads is not written', async (t) => {
  const host = lab(t);
  const at = (name: string): string => join(host.etcDir, name);
  qemuImg('create', '-q', '-f', 'raw', at('x.img'), '1M');
  host.add('owner', 'DSK2=x.img\n');
  const node = `'{"driver":"raw","node-name":"x","file":{"driver":"file","filename":"${at('x.img')}"}}'`;
  for (const [name, line] of [
    ['drive', '-drive if=none,id=x,format=raw,file=x.img'],
    ['node', `-blockdev ${node}`],
    ['hdb', '-hdb x.img'],
    ['flash', '-pflash x.img'],
  ] as const) {
    host.add(name, `[custom]\n${line}\n`);
    const { code, stderr } = await host.init('check', name);
    assert.equal(code, 6, line);
    assert.match(stderr, /-\w+ \(line \d+\) ".*\/x\.img" is DSK2 of machine "owner" too/, line);
    rmSync(at(`${name}-qemu.cfg`));
  }
  host.write('etc/qemu/owner-qemu.cfg', `${LIGHT}DSK2=x.img,readonly=on\n`);
  host.add('reader', '[custom]\n-drive if=none,id=x,format=raw,file=x.img,readonly=on\n-cdrom x.img\n');
  await host.ok('check', 'reader');
});

test('a guest that writes a header to its raw disk keeps no other machine from its image', async (t) => {
  const host = lab(t);
  host.add('web');
  host.add('evil');
  await host.ok('start', 'evil');
  await host.ok('kill', 'evil');
  const header = join(host.dir, 'header');
  makeOverlay(header, join(host.etcDir, 'web.img'), 'raw');
  overwrite(join(host.etcDir, 'evil.img'), readFileSync(header).subarray(0, 8192));
  await host.ok('check', 'web');
  await host.ok('start', 'web');
  await host.ok('kill', 'web');
});

const obstacle = whyNoLoopDevices();

suite('block devices of the host', { skip: obstacle ?? false }, () => {
  test('a mounted device, its loop file, its partition and its disk are not for a guest to write', async (t) => {
    const host = lab(t);
    const file = join(host.etcDir, 'disk.img');
    writeFileSync(file, Buffer.alloc(8 * 1024 * 1024));
    const disk = attach(t, '--partscan', file);
    // Made known to the kernel alone, which may know no partition tables.
    run('addpart', disk, '1', '2048', '8192');
    const part = `${disk}p1`;
    run('mke2fs', '-q', '-F', part);
    host.add('file', 'DSK1=disk.img,format=raw\n');
    host.add('disk', `DSK1=${disk}\n`);
    host.add('part', `DSK1=${part}\n`);
    host.add('reader', 'DSK1=disk.img,format=raw,readonly=on\nNIC1=e1000,net=none\n');

    await problem(
      host,
      'file',
      /disk\.img" is the backing file of loop device "\/dev\/loop\d+" on this host \(losetup --detach/,
    );
    await problem(host, 'disk', /DSK1 uses "\/dev\/loop\d+", the same storage as ".*" of DSK1 of machine/);

    const mountPoint = join(host.dir, 'a b');
    mkdirSync(mountPoint);
    run('mount', part, mountPoint);
    t.after(() => spawnSync('umount', [mountPoint]));
    for (const name of ['file', 'disk', 'part']) {
      await problem(host, name, /is mounted on ".*a b" on this host \(umount '.*a b'; or set readonly=on\)/);
      const started = await host.init('start', name);
      assert.equal(started.code, 6, started.stderr);
    }
    for (const name of ['disk', 'part', 'file']) rmSync(join(host.etcDir, `${name}-qemu.cfg`));

    const read = await host.init('check', 'reader');
    assert.equal(read.code, 0, read.stderr);
    assert.match(read.stderr, /Warning: DSK1 .*is mounted on/);
    run('umount', mountPoint);
    rmSync(join(host.etcDir, 'reader-qemu.cfg'));
    host.add('alone', `DSK1=${part}\n`);
    await host.ok('check', 'alone');
  });

  test('what somebody has for himself where this process cannot look is seen all the same', async (t) => {
    const host = lab(t);
    const file = join(host.etcDir, 'disk.img');
    writeFileSync(file, '');
    truncateSync(file, 4 * 1024 * 1024);
    const disk = attach(t, file);
    run('mke2fs', '-q', '-F', disk);
    host.add('web', `DSK1=${disk}\n`);
    await host.ok('check', 'web');
    const script = 'mount "$0" /mnt && mount -t tmpfs none /proc && echo mounted && exec sleep 60';
    const other = spawn('unshare', ['--mount', 'sh', '-c', script, disk], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => other.kill('SIGKILL'));
    await once(other.stdout, 'data');
    await problem(host, 'web', /DSK1 "\/dev\/loop\d+" is in use on this host/);
    other.kill('SIGKILL');
    await once(other, 'exit');
  });

  test('swap space is not for a guest', async (t) => {
    const host = lab(t);
    const file = join(host.etcDir, 'swap.img');
    writeFileSync(file, Buffer.alloc(4 * 1024 * 1024), { mode: 0o600 });
    run('mkswap', file);
    if (spawnSync('swapon', [file]).status !== 0) return t.skip('swapon is not allowed here');
    t.after(() => run('swapoff', file));
    host.add('web', 'DSK1=swap.img,format=raw\n');
    await problem(host, 'web', /swap\.img" is swap space on this host \(swapoff/);
  });
});

test('the generator, which systemd waits for, asks no file system that may not answer', async (t) => {
  const fuse = whyNoFuse() === undefined ? openSync('/dev/fuse', 'r+') : undefined;
  if (fuse === undefined) return t.skip(whyNoFuse());
  const host = lab(t);
  const away = join(host.dir, 'away');
  mkdirSync(away);
  // Nobody reads what the kernel asks: whoever looks at what is there waits.
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0';
  const mounted = spawnSync('mount', ['-i', '-t', 'fuse', '-o', options, 'nobody', away], {
    stdio: ['ignore', 'ignore', 'ignore', fuse],
  });
  if (mounted.status !== 0) return t.skip('FUSE is not allowed here');
  const at = (name: string): string => join(host.etcDir, name);
  symlinkSync(join(away, 'x.img'), at('link.img'));
  symlinkSync(away, at('folder'));
  makeOverlay(at('top.qcow2'), 'folder/base', 'raw');
  makeOverlay(at('straight.qcow2'), `${away}/base`, 'raw');
  const disks = [`${away}/x.img,format=raw`, 'link.img', 'folder/x.img', 'top.qcow2', 'straight.qcow2,format=qcow2'];
  for (const [index, disk] of disks.entries()) host.add(`m${index}`, `DSK1=${disk}\n`);
  const env = { XDG_CONFIG_HOME: join(host.dir, 'etc'), XDG_STATE_HOME: join(host.dir, 'var/lib') };
  const units = join(host.dir, 'units');
  const { status, stderr } = spawnSync(join(repoRoot, 'bin/qemu-generator'), [units, units, units, '--user'], {
    env: { ...process.env, ...env, XDG_RUNTIME_DIR: join(host.dir, 'run'), HOME: host.dir },
    encoding: 'utf8',
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });
  run('umount', '--lazy', away);
  closeSync(fuse);
  assert.deepEqual([status, stderr], [0, '']);
  assert.equal(readdirSync(units).filter((name) => /^qemu@m\d/.test(name)).length, disks.length);
});

function whyNoFuse(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  return existsSync('/dev/fuse') ? undefined : 'there is no /dev/fuse here';
}

async function problem(host: Lab, name: string, pattern: RegExp): Promise<void> {
  const result = await host.init('check', name);
  assert.equal(result.code, 6, `${name}: ${result.stdout}${result.stderr}`);
  assert.match(result.stderr, pattern, name);
}

function attach(t: Cleanup, ...args: readonly string[]): string {
  const device = run('losetup', '--find', '--show', ...args).trim();
  t.after(() => {
    spawnSync('losetup', ['--detach', device]);
  });
  return device;
}

function run(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  assert.equal(status, 0, `${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

function whyNoLoopDevices(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  return spawnSync('losetup', ['--find']).status === 0 ? undefined : 'there are no loop devices here';
}
