import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { guestDisk } from '../support/guest-disk.ts';
import { type Lab, LIGHT, lab, until, untilEnded } from '../support/lab.ts';

const NOBODY = 65_534;
const MIB = 1024 ** 2;
const LIGHT_KEYS = LIGHT.trim().split('\n');
const qemuImg = (...args: readonly string[]): string => execFileSync('qemu-img', [...args], { encoding: 'utf8' });
const info = (path: string): Readonly<Record<string, unknown>> =>
  JSON.parse(qemuImg('info', '-U', '--output=json', path));

/** A machine `web` with the tiny guest in a qcow2 image, and what a clone cannot have in common with it. */
async function makeWeb(root: Lab, ...keys: readonly string[]): Promise<void> {
  const raw = join(root.dir, 'guest.img');
  guestDisk(root.dir, { name: 'guest.img' });
  truncateSync(raw, 8 * MIB);
  qemuImg('convert', '-O', 'qcow2', raw, join(root.dir, 'guest.qcow2'));
  await root.ok(
    'create',
    'web',
    ...LIGHT_KEYS,
    '--image',
    join(root.dir, 'guest.qcow2'),
    '--disk',
    '8M',
    '--disk',
    '4M',
    ...keys,
  );
}

const cfgOf = (root: Lab, name: string): string => readFileSync(join(root.etcDir, `${name}-qemu.cfg`), 'utf8');
const settingOf = (cfg: string, key: string): string | undefined =>
  new RegExp(`^${key}="?(.*?)"?$`, 'm').exec(cfg)?.[1];
const hidden = (root: Lab): string[] => readdirSync(root.etcDir).filter((name) => name.startsWith('.'));

test('a clone has its own disks, UUID, addresses, ports and instance, and keeps the rest of the file', async (t) => {
  const root = lab(t);
  root.write('id.pub', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJq3l6Ncbrx5pVp3z5Zk7r2bqvN6yqv3WZl7f0y2abcd me\n');
  const odd = [
    'NIC1=virtio-net-pci,net=user,mac=52:54:00:12:34:56,hostfwd=tcp:127.0.0.1:22345-:22',
    'NAME=web',
    'DESC=my web',
  ];
  await makeWeb(root, ...odd, '--ssh-key', join(root.dir, 'id.pub'));
  const path = join(root.etcDir, 'web-qemu.cfg');
  writeFileSync(path, `# Of my own\n${cfgOf(root, 'web')}`);
  const cloned = await root.one('clone', 'web', 'db');
  assert.equal(cloned['wasRunning'], false);
  const [web, db] = [cfgOf(root, 'web'), cfgOf(root, 'db')];
  assert.match(db, /^# Of my own\n/);
  assert.equal(settingOf(db, 'DESC'), 'my web');
  assert.equal(settingOf(db, 'NAME'), 'db');
  assert.equal(settingOf(db, 'DSK1'), 'db.qcow2,format=qcow2');
  assert.equal(settingOf(db, 'DSK2'), 'db-2.qcow2,format=qcow2');
  assert.equal(settingOf(db, 'MACHINE'), settingOf(web, 'MACHINE'));
  assert.notEqual(settingOf(db, 'UUID'), settingOf(web, 'UUID'));
  assert.match(settingOf(db, 'NIC1') ?? '', /^virtio-net-pci,net=user,hostfwd=tcp:127\.0\.0\.1:2234[6-9]-:22$/);
  const metaData = JSON.parse(readFileSync(join(root.etcDir, 'db.seed/meta-data'), 'utf8'));
  assert.deepEqual(metaData, { 'instance-id': settingOf(db, 'UUID'), 'local-hostname': 'db' });
  assert.match(readFileSync(join(root.etcDir, 'db.seed/vendor-data'), 'utf8'), /machine-id/);
  qemuImg('compare', join(root.etcDir, 'web.qcow2'), join(root.etcDir, 'db.qcow2'));
  await root.ok('start', 'web', 'db');
  await root.ok('wait', 'web', 'db', '--for', 'console=ready');
  await root.ok('stop', '--force', '--all');

  for (const [args, pattern] of [
    [['web', 'db'], /db-qemu\.cfg" exists already/],
    [['web', 'a/b'], /not a valid name/],
    [['none', 'x'], /none/],
    [['web', 'x', '--linked', '--snapshot', 'y'], /cannot be combined/],
    [['web', 'x', '--snapshot', 'y'], /Machine "web" has no snapshot "y"[\s\S]*hint: see: qemu-init snapshot list web/],
  ] as const) {
    const { code, stderr } = await root.init('clone', ...args);
    assert.notEqual(code, 0);
    assert.match(stderr, pattern);
  }
  assert.deepEqual(
    readdirSync(root.etcDir).filter((name) => /^\.|^x/.test(name)),
    [],
  );
});

test('create --from makes a clone with other settings and other data for cloud-init, or nothing', async (t) => {
  const root = lab(t);
  root.write('id.pub', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJq3l6Ncbrx5pVp3z5Zk7r2bqvN6yqv3WZl7f0y2abcd me\n');
  await makeWeb(root);
  const before = readFileSync(join(root.etcDir, 'web.qcow2'));
  const files = readdirSync(root.etcDir);
  for (const [words, message] of [
    [['--disk', '9M'], /--disk cannot be combined with --from.*disk resize db/s],
    [['--image', 'x.qcow2'], /--image cannot be combined with --from/],
    [['--os', 'debian'], /--os cannot be combined with --from/],
    [['DSK2=x.img'], /DSK2 is a disk of "web"/],
    [['CLOUDINIT=x', '--hostname', 'h'], /Both CLOUDINIT= and options for cloud-init/],
    [['RAM=much'], /RAM=much: /],
    [['--ram', '9M', 'RAM=8M'], /Both --ram and RAM=/],
  ] as const) {
    const { code, stderr } = await root.init('create', 'db', '--from', 'web', ...words);
    assert.notEqual(code, 0, words.join(' '));
    assert.match(stderr, message);
    assert.deepEqual(readdirSync(root.etcDir), files);
  }
  const words = ['RAM=9M', '--cpus', '2', 'DESC=other', '--ssh-key', join(root.dir, 'id.pub'), '--hostname', 'other'];
  const created = await root.one('create', 'db', '--from', 'web', ...words, '--start');
  assert.equal(created['outcome'], 'created');
  await root.ok('wait', 'db', '--for', 'console=ready');
  const cfg = cfgOf(root, 'db');
  assert.deepEqual(
    ['RAM', 'SMP', 'DESC', 'CLOUDINIT'].map((key) => settingOf(cfg, key)),
    ['9M', '2', 'other', 'db.seed'],
  );
  const uuid = settingOf(cfg, 'UUID');
  assert.notEqual(uuid, settingOf(cfgOf(root, 'web'), 'UUID'));
  const seed = join(root.etcDir, 'db.seed');
  assert.deepEqual(JSON.parse(readFileSync(join(seed, 'meta-data'), 'utf8')), {
    'instance-id': uuid,
    'local-hostname': 'other',
  });
  assert.match(readFileSync(join(seed, 'vendor-data'), 'utf8'), /machine-id/);
  // A clone of the clone, with the data of its source, of a machine that runs.
  await root.ok('create', 'third', '--from', 'db', 'NAME=third');
  assert.match(readFileSync(join(root.etcDir, 'third.seed/user-data'), 'utf8'), /ssh-ed25519/);
  await root.ok('create', 'fourth', '--from', 'third', '--linked');
  await root.ok('stop', '--force', '--all');
  assert.ok(readFileSync(join(root.etcDir, 'web.qcow2')).equals(before));
  assert.deepEqual(hidden(root), []);
});

test('a running machine is cloned as of one instant, and goes on', async (t) => {
  const root = lab(t);
  await makeWeb(root);
  const { pid } = await root.one('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=ready');
  const write = async (text: string): Promise<void> => {
    const { stdout, code } = await root.cmd('-c', `qemu-io dsk2 "write -P ${text} 0 64k"`, 'web');
    assert.equal(code, 0, stdout);
  };
  await write('0x61');
  const cloned = await root.one('clone', 'web', 'db');
  assert.equal(cloned['wasRunning'], true);
  await write('0x62');
  const content = execFileSync(
    'qemu-io',
    ['-f', 'qcow2', '-c', 'read -P 0x61 0 64k', join(root.etcDir, 'db-2.qcow2')],
    {
      encoding: 'utf8',
    },
  );
  assert.doesNotMatch(content, /verification failed/);
  assert.deepEqual((await root.json('jobs', 'web'))[0]?.['jobs'], []);
  await root.ok('start', 'db');
  await root.ok('wait', 'db', '--for', 'console=ready');
  assert.equal((await root.one('status', 'web'))['pid'], pid);
  for (const option of [['--linked'], ['--snapshot', 'x']]) {
    const { code, stderr } = await root.init('clone', 'web', 'x', ...option);
    assert.notEqual(code, 0);
    assert.match(stderr, /is not possible while machine "web" runs/);
  }
  await root.ok('stop', '--force', '--all');
  assert.deepEqual(hidden(root), []);
});

test('linked clones share a base that nobody writes to, and go on from the same content', async (t) => {
  const root = lab(t);
  await makeWeb(root);
  await root.ok('start', 'web');
  await root.ok('stop', '--force', 'web');
  await root.ok('clone', 'web', 'db', '--linked');
  await root.ok('clone', 'web', 'third', '--linked');
  const bases = readdirSync(root.etcDir).filter((name) => /^web-base-[0-9a-f]{8}\.qcow2$/.test(name));
  assert.equal(bases.length, 2);
  for (const base of bases) assert.equal(statSync(join(root.etcDir, base)).mode & 0o777, 0o444);
  assert.ok(bases.includes(String(info(join(root.etcDir, 'db.qcow2'))['backing-filename'])));
  assert.equal(info(join(root.etcDir, 'web.qcow2'))['virtual-size'], 8 * MIB);
  await root.ok('check', 'web', 'db', 'third');
  await root.ok('start', 'web', 'db', 'third');
  await root.ok('wait', 'web', 'db', 'third', '--for', 'console=ready');
  await root.ok('stop', '--force', '--all');
  qemuImg('compare', join(root.etcDir, 'web.qcow2'), join(root.etcDir, 'db.qcow2'));

  // One that fails at its end takes nothing along.
  const before = readdirSync(root.etcDir).sort();
  const digest = readFileSync(join(root.etcDir, 'web.qcow2'));
  const clash = await root.init('clone', 'web', 'DB', '--linked');
  assert.notEqual(clash.code, 0);
  assert.deepEqual(readdirSync(root.etcDir).sort(), before);
  assert.ok(readFileSync(join(root.etcDir, 'web.qcow2')).equals(digest));

  qemuImg('snapshot', '-c', 'old', join(root.etcDir, 'web.qcow2'));
  const refused = await root.init('clone', 'web', 'x', '--linked');
  assert.match(refused.stderr, /has snapshots, such as "old"/);
  qemuImg('snapshot', '-c', 'old', join(root.etcDir, 'web-2.qcow2'));
  execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -P 0x7a 0 64k', join(root.etcDir, 'web-2.qcow2')]);
  await root.ok('clone', 'web', 'past', '--snapshot', 'old');
  execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'read -P 0 0 64k', join(root.etcDir, 'past-2.qcow2')]);
});

test('a clone that is interrupted or killed leaves the source as it was', async (t) => {
  const root = lab(t);
  await makeWeb(root);
  const big = join(root.etcDir, 'web-2.qcow2');
  rmSync(big);
  writeFileSync(join(root.dir, 'big'), Buffer.alloc(64 * MIB, 'data'));
  truncateSync(join(root.dir, 'big'), 4096 * MIB);
  qemuImg('convert', '-O', 'qcow2', join(root.dir, 'big'), big);
  const before = readdirSync(root.etcDir).sort();
  const isAtWork = (): boolean => hidden(root).some((name) => name.endsWith('.part'));
  for (const running of [false, true]) {
    if (running) await root.ok('start', 'web');
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      const clone = root.spawn('qemu-init', ['clone', 'web', 'db']);
      await until('the copy has begun', isAtWork);
      clone.child.kill(signal);
      const ended = await clone.result;
      assert.notEqual(ended.code, 0);
      if (signal === 'SIGINT') assert.deepEqual(readdirSync(root.etcDir).sort(), before, JSON.stringify(ended));
      else for (const name of hidden(root)) assert.match(name, /\.part$/);
      // Else the next one seems to be at work before it listens for signals: a killed one leaves its qemu-img at work.
      if (!running) await untilEnded(root.dir);
      if (!running) for (const name of hidden(root)) rmSync(join(root.etcDir, name));
      // The next command sets right what was left inside QEMU.
      await root.init('status', 'web');
      await until('no job is left', async () => {
        if (!running) return true;
        const [row] = await root.json('jobs', 'web');
        return Array.isArray(row?.['jobs']) && row['jobs'].length === 0;
      });
    }
  }
  await root.ok('stop', '--force', 'web');
  await root.ok('clone', 'web', 'db');
  assert.deepEqual(hidden(root), []);
});

test('the clone of a machine that runs as another user can be started by its own', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can run QEMU as somebody else');
  const root = lab(t);
  chmodSync(root.dir, 0o755);
  root.write('etc/qemu/defaults-qemu.cfg', 'RUNAS=nobody\nNETIF=managed\n');
  mkdirSync(join(root.dir, 'other'));
  await makeWeb(root);
  await root.ok('start', 'web');
  await root.ok('clone', 'web', 'db', '--output', join(root.dir, 'other'));
  assert.ok(existsSync(join(root.dir, 'other/db.qcow2')));
  assert.equal(statSync(join(root.dir, 'other/db.qcow2')).uid, 65_534);
  await root.ok('stop', '--force', 'web');
  await root.ok('clone', 'web', 'third', '--linked');
  await root.ok('start', 'web', 'db', 'third');
  await root.ok('wait', 'web', 'db', 'third', '--for', 'console=ready');
  await root.ok('stop', '--force', '--all');
});

test('a captured QEMU gets no file of root into a clone, and no clone rests on what it can exchange', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can run QEMU as somebody else');
  const root = lab(t);
  chmodSync(root.dir, 0o755);
  root.write('etc/qemu/defaults-qemu.cfg', 'RUNAS=nobody\nNETIF=managed\n');
  await makeWeb(root);
  // What is left of the user of the machine's QEMU, and root's answer to a question that is not its own.
  const left = spawn('sleep', ['60'], { uid: NOBODY, gid: NOBODY, stdio: 'ignore' });
  t.after(() => void left.kill());
  const secret = join(root.dir, 'secret');
  writeFileSync(secret, Buffer.alloc(4 * MIB, 'of root'), { mode: 0o600 });
  const disk = join(root.etcDir, 'web-2.qcow2');
  const base = join(root.etcDir, 'base.qcow2');
  execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -P 7 1M 1M', disk]);
  renameSync(disk, base);
  qemuImg('create', '-q', '-f', 'qcow2', '-b', base, '-F', 'qcow2', disk);
  for (const path of [disk, base]) chownSync(path, NOBODY, NOBODY);
  const real = execFileSync('sh', ['-c', 'command -v qemu-img'], { encoding: 'utf8' }).trim();
  const bin = join(root.dir, 'bin');
  mkdirSync(bin);
  // It gives its image another header when root has looked at it, and is about to copy it.
  const swap = `case " $* " in *" convert "*db-2*) ${real} rebase -u -f qcow2 -b ${secret} -F raw ${disk};; esac`;
  writeFileSync(join(bin, 'qemu-img'), `#!/bin/sh\n${swap}\nexec ${real} "$@"\n`, { mode: 0o755 });
  const PATH = `${bin}:${process.env['PATH']}`;
  const cloned = await root.run('qemu-init', ['clone', 'web', 'db'], { env: { PATH } });
  assert.equal(cloned.code, 0, cloned.stderr);
  assert.equal(info(disk)['backing-filename'], secret, 'the attack was tried');
  qemuImg('rebase', '-u', '-f', 'qcow2', '-b', base, '-F', 'qcow2', disk);
  assert.match(qemuImg('compare', join(root.etcDir, 'db-2.qcow2'), disk), /identical/);
  assert.deepEqual(hidden(root), []);

  // In a folder of its own it could put links in place of the base and the overlay.
  const own = join(root.dir, 'own');
  mkdirSync(own);
  renameSync(join(root.etcDir, 'web.qcow2'), join(own, 'web.qcow2'));
  chownSync(own, NOBODY, NOBODY);
  const path = join(root.etcDir, 'web-qemu.cfg');
  writeFileSync(path, cfgOf(root, 'web').replace(/^DSK1=.*$/m, `DSK1=${join(own, 'web.qcow2')},format=qcow2`));
  const linked = await root.init('clone', 'web', 'third', '--linked', '--output', root.etcDir);
  assert.equal(linked.code, 4, linked.stderr);
  assert.match(linked.stderr, /belongs to user "nobody"/);
  assert.deepEqual(readdirSync(own), ['web.qcow2']);
});
