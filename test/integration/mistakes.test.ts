import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { lab, until } from '../support/lab.ts';

test('a file that is not there has with it what to do, by what was written', async (t) => {
  const root = lab(t);
  writeFileSync(join(root.etcDir, 'disc.iso'), '');
  writeFileSync(join(root.etcDir, 'data.qcow2'), '');
  const wrong: readonly (readonly [line: string, hint: RegExp])[] = [
    ['DSK1=system.qcow2', /create it: qemu-img create -f qcow2 \S+\/system\.qcow2 8G/],
    ['DSK1=system.img', /create it: qemu-img create -f raw /],
    ['DSK1=dta.qcow2', /did you mean "data\.qcow2"/],
    ['DSK1=data.img', /did you mean "data\.qcow2"/],
    ['CDR1=dsic.iso', /did you mean "disc\.iso"/],
    ['DSK1=~/x.img', /not expanded: write the full path/],
    ['DSK1=$HOME/x.img', /not expanded: write the full path/],
    ['DSK1=8G', /an image.*qemu-img create -f qcow2 disk\.qcow2 8G/],
    ['DSK1=C:\\vm\\x.img', /write a path of this host/],
  ];
  for (const [at, [line]] of wrong.entries())
    root.add(`m${at}`, `${line}\n${line.startsWith('DSK1') ? '' : 'DSK1=data.qcow2\n'}`);
  const { stderr } = await root.init('check', '--all');
  for (const [at, [line, hint]] of wrong.entries()) {
    const own = stderr
      .split('\n')
      .filter((each) => each.includes(`/m${at}-qemu.cfg:`) && each.includes('does not exist'));
    assert.equal(own.length, 1, `${line}: ${stderr}`);
    assert.match(own[0] ?? '', hint);
  }
});

test('a line that is wrong has no warnings of what it was taken for', async (t) => {
  const root = lab(t);
  root.add('web', 'NIC1=virtio,net=nat\n');
  const { stderr } = await root.init('check', 'web');
  assert.doesNotMatch(stderr, /NIC1.*(?:bridge "br0"|qemu-brup)/);
  assert.match(stderr, /NIC1 net must be bridge, user, passt or none, not "nat"/);
});

test('check warns of a guest that has nothing to boot from', async (t) => {
  const root = lab(t);
  root.write('etc/qemu/none-qemu.cfg', 'RAM=8M\nVNC=off\n');
  root.write('etc/qemu/order-qemu.cfg', 'RAM=8M\nVNC=off\nBOOT=cdrom\nNIC1=virtio,net=user\n');
  root.write('etc/qemu/net-qemu.cfg', 'RAM=8M\nVNC=off\nNIC1=virtio,net=user\n');
  const said = (await root.init('check', 'none', 'order', 'net')).stderr;
  assert.match(said, /none-qemu\.cfg: Warning: There is nothing to boot from/);
  assert.match(said, /order-qemu\.cfg:3: Warning: There is nothing to boot from in BOOT=cdrom/);
  assert.doesNotMatch(said, /net-qemu\.cfg.*nothing to boot/);
});

test('create says what is wrong in the words that were typed, and takes only sizes that are meant', async (t) => {
  const root = lab(t);
  const refused: readonly (readonly [args: readonly string[], text: RegExp])[] = [
    [['ram=1G'], /^ {2}ram=1G: Unknown key "ram" \(did you mean "RAM"\?\)$/m],
    [['RAM=1X'], /^ {2}RAM=1X: RAM must be 1M to 16T, such as 512M or 2G, not "1X"/m],
    [['8G'], /for a disk of that size: --disk 8G; for memory: RAM=8G/],
    [['--memory', '512'], /write RAM=512/],
    [['--cpus', '4', 'SMP=2'], /Both --cpus and SMP= were given/],
    [['--bridge', 'br1', '--net', 'user'], /Both --bridge and --net were given/],
    [['--linked'], /--linked needs an image/],
    [['--wait'], /start/],
    [['--size', '8G'], /write --disk 8G/],
    [['--disk', '8'], /did you mean 8G/],
    [['--disk', 'big'], /a number with M, G or T/],
  ];
  for (const [args, text] of refused) {
    const { code, stderr } = await root.init('create', 'web', ...args);
    assert.ok(code === 1 || code === 2 || code === 6, stderr);
    assert.match(stderr, text);
  }
  assert.ok(!existsSync(join(root.etcDir, 'web-qemu.cfg')));
  const broken = await root.init('create', 'web', 'DSK1=missing.img');
  assert.match(broken.stdout, /web: created as .*; the problems above keep it from starting/);
  await root.ok('create', 'db', '--disk', '8GB');
  const image = join(root.etcDir, 'db.qcow2');
  const { 'virtual-size': size } = JSON.parse(
    execFileSync('qemu-img', ['info', '--output=json', image], { encoding: 'utf8' }),
  );
  assert.equal(size, 8 * 1024 ** 3);
});

test('a start that finds a port or an image taken names the line of the file and the program that has it', async (t) => {
  const root = lab(t);
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  root.add('fwd', `NIC1=virtio,net=user,hostfwd=tcp:127.0.0.1:${port}-:22\n`);
  t.after(() => server.close());
  const forwarded = await root.init('start', 'fwd');
  assert.equal(forwarded.code, 1, forwarded.stderr);
  assert.match(
    forwarded.stderr,
    new RegExp(
      `fwd-qemu\\.cfg:\\d+: NIC1 cannot listen at 127\\.0\\.0\\.1, tcp port ${port} now: ".+" \\(pid ${process.pid}\\) has it`,
    ),
  );
  root.add('img');
  const image = join(root.etcDir, 'img.img');
  // Another program with QEMU's own locks, and no machine of ours.
  const holder = spawn('qemu-io', ['-f', 'raw', image, '-c', 'sleep 600000'], { stdio: 'pipe' });
  t.after(() => holder.kill('SIGKILL'));
  // Some of them go away while they are listed, which is an error for ls.
  const opened = (): string => spawnSync('ls', ['-l', `/proc/${holder.pid}/fd`], { encoding: 'utf8' }).stdout;
  await until('it has the image', () => opened().includes(image));
  const locked = await root.init('start', 'img');
  assert.match(locked.stderr, /img-qemu\.cfg:\d+: DSK1 ".*img\.img" is open in "qemu-io" \(pid \d+\)/);
});
