import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeGuestDisk } from '../../scripts/guest-disk.mjs';
import { lab, until } from '../support/lab.ts';

const DOMAIN = (name: string, disk: string): string => `<domain type='qemu'>
  <name>${name}</name>
  <uuid>6ba7b810-9dad-41d1-80b4-00c04fd430c8</uuid>
  <memory unit='MiB'>24</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type><boot dev='hd'/></os>
  <cputune><shares>2</shares></cputune>
  <devices>
    <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${disk}'/><target dev='hda' bus='ide'/></disk>
    <interface type='user'><mac address='52:54:00:12:34:56'/><model type='virtio'/></interface>
    <serial type='pty'><target port='0'/></serial>
  </devices>
</domain>
`;

const DISK = (path: string): string =>
  `<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none'/><source file='${path}'/><target dev='hdb' bus='ide'/></disk>`;

const qemu = (program: string, ...args: readonly string[]): void =>
  void execFileSync(program, [...args], { stdio: ['ignore', 'ignore', 'inherit'] });

test('a domain of libvirt is imported, boots with its UUID and MAC, and its command line is imported again', async (t) => {
  const root = lab(t);
  const disk = join(root.dir, 'vm/a, b.img');
  writeGuestDisk(root.write('vm/a, b.img', ''));
  const source = root.write('vm/shop.xml', DOMAIN('shop', disk));
  const imported = await root.one('import', source);
  assert.deepEqual([imported['name'], imported['format'], imported['outcome']], ['shop', 'libvirt', 'imported']);
  assert.deepEqual(
    (imported['lost'] as { source: string }[]).map((item) => item.source),
    ['<shares>2'],
  );
  await root.ok('register', 'shop');
  await root.ok('start', 'shop');
  await root.ok('wait', 'shop', '--for', 'console=.');
  const { stdout } = await root.cmd('-q', 'query-uuid', 'shop');
  assert.match(stdout, /6ba7b810-9dad-41d1-80b4-00c04fd430c8/);

  const status = await root.one('status', 'shop');
  const shown = await root.one('showcmd', 'shop');
  const again = await root.init(
    'import',
    '--pid',
    String(status['pid']),
    '--name',
    'twin',
    '--output',
    join(root.dir, 'twin'),
  );
  assert.equal(again.code, 0, again.stderr);
  await root.ok('stop', 'shop', '--force');
  // Two machines with one address are refused while both are known.
  await root.ok('unregister', 'shop');
  const twin = await root.one('showcmd', join(root.dir, 'twin/twin-qemu.cfg'));
  assert.ok(Array.isArray(twin['args']), JSON.stringify(twin));
  // Only what is of the machine's own name and slot differs.
  const devices = (words: unknown): string[] =>
    (words as string[]).filter((word) => /^(?:file=|virtio-|ide-|user,|e1000)/.test(word));
  assert.deepEqual(devices(twin['args']), devices(shown['args']));
});

test('a folder of definitions is imported at once, and --dry-run writes nothing', async (t) => {
  const root = lab(t);
  const names = ['one', 'two'].map((name) => root.write(`vm/${name}.xml`, DOMAIN(name, '/srv/x.img')));
  const bad = root.write('vm/bad.xml', '<domain><name>x</domain>\n');
  const dry = await root.init('import', ...names, bad, '--dry-run');
  assert.equal(dry.code, 6);
  assert.match(dry.stdout, /2 of 3 imported/);
  assert.match(dry.stderr, /bad\.xml:1: /);
  assert.ok(!existsSync(join(root.etcDir, 'one-qemu.cfg')));
  const rows = await root.json('import', ...names, bad);
  assert.deepEqual(
    rows.map(({ name, outcome }) => [name, outcome]),
    [
      ['one', 'imported'],
      ['two', 'imported'],
      [bad, 'failed'],
    ],
  );
  const twice = await root.init('import', names[0] ?? '');
  assert.equal(twice.code, 1);
  assert.match(twice.stderr, /exists already/);
});

test('standard input is read up to a limit, and a lost part is in the file as a comment', async (t) => {
  const root = lab(t);
  const text = DOMAIN('piped', '/srv/x.img');
  const result = await root.run('qemu-init', ['import', '-', '--output', '-'], { input: text });
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /^DSK1="\/srv\/x\.img,format=raw,if=ide"$/m);
  assert.match(result.stdout, /^# +line 7: <shares>2: /m);
  const huge = await root.run('qemu-init', ['import', '-', '--output', '-'], { input: `<a>${' '.repeat(3e6)}` });
  assert.equal(huge.code, 6);
  assert.match(huge.stderr, /larger than/);
  const broken = await root.run('qemu-init', ['import', '-'], { input: '<domain' });
  assert.equal(broken.code, 6);
  assert.match(broken.stderr, /^standard input:1: Unexpected end/);
});

test('import --copy-disks copies all disks and the variables of the firmware, or nothing', async (t) => {
  const root = lab(t);
  const raw = join(root.dir, 'vm/a, b.img');
  const second = join(root.dir, 'vm/second.qcow2');
  const nvram = root.write(
    'vm/shop_VARS.fd',
    Buffer.concat([Buffer.alloc(40), Buffer.from('_FVH'), Buffer.alloc(540_672 - 44)]),
  );
  writeGuestDisk(root.write('vm/a, b.img', ''));
  qemu('qemu-img', 'create', '-q', '-f', 'qcow2', second, '4M');
  qemu('qemu-io', '-f', 'qcow2', '-c', 'write -P 0x61 1M 64k', second);
  const domain = DOMAIN('shop', raw)
    .replace('</interface>', `</interface>${DISK(second)}`)
    .replace("<os><type arch='x86_64' machine='pc'>", `<os firmware='efi'><nvram>${nvram}</nvram><type machine='q35'>`)
    .replaceAll("bus='ide'", "bus='virtio'");
  const source = root.write('vm/shop.xml', domain);
  const before = [raw, second, nvram].map((path) => [readFileSync(path), statSync(path).mtimeMs]);

  // Nothing is made of a machine with one bad disk: not even the good one.
  const nothing = async (text: string, message: RegExp, ...options: string[]): Promise<void> => {
    const files = readdirSync(root.etcDir);
    const bad = await root.init('import', root.write('vm/bad.xml', text), '--copy-disks', ...options);
    assert.notEqual(bad.code, 0);
    assert.match(bad.stderr, message);
    assert.deepEqual(readdirSync(root.etcDir), files);
  };
  const evil = join(root.dir, 'vm/evil.qcow2');
  qemu('qemu-img', 'create', '-q', '-u', '-f', 'qcow2', '-b', '/etc/shadow', '-F', 'raw', evil, '4M');
  await nothing(domain.replace(second, evil), /names another file, "\/etc\/shadow"/);
  await nothing(domain.replace(second, join(root.dir, 'none')).replace(raw, evil), /Cannot copy the disks.*none/s);
  await nothing(domain.replace(nvram, '/etc/shadow'), /"\/etc\/shadow" has no variables of a firmware/);
  // What a guest wrote to its raw disk.
  await nothing(domain.replace("type='qcow2'", "type='raw'"), /DSK2 .* is qcow2, and not raw as its definition says/);
  await nothing(domain, /--copy-disks cannot be combined with --force/, '--force');
  root.write('etc/qemu/shop-2.qcow2', 'mine');
  await nothing(domain, /shop-2\.qcow2" exists already/);
  rmSync(join(root.etcDir, 'shop-2.qcow2'));
  // A machine that runs with it.
  root.add('user', `DSK1=${second},format=qcow2\n`);
  await root.ok('start', 'user');
  await nothing(domain, /second\.qcow2": it is used by a running QEMU/);
  await root.ok('stop', 'user', '--force');

  const imported = await root.one('import', source, '--copy-disks');
  assert.deepEqual(imported['copied'], [
    { key: 'DSK1', from: raw, path: join(root.etcDir, 'shop.qcow2') },
    { key: 'DSK2', from: second, path: join(root.etcDir, 'shop-2.qcow2') },
    { key: 'FIRMWARE', from: nvram, path: join(root.etcDir, 'shop-vars.fd') },
  ]);
  const cfg = readFileSync(join(root.etcDir, 'shop-qemu.cfg'), 'utf8');
  assert.match(cfg, /^DSK1="?shop\.qcow2,format=qcow2"?$/m);
  assert.match(cfg, /^DSK2="?shop-2\.qcow2,format=qcow2,cache=none"?$/m);
  assert.match(cfg, /^FIRMWARE="?uefi,vars=shop-vars\.fd"?$/m);
  qemu('qemu-img', 'compare', '-q', '-f', 'raw', raw, join(root.etcDir, 'shop.qcow2'));
  qemu('qemu-img', 'compare', '-q', second, join(root.etcDir, 'shop-2.qcow2'));
  assert.ok(readFileSync(join(root.etcDir, 'shop-vars.fd')).equals(readFileSync(nvram)));
  assert.deepEqual(
    [raw, second, nvram].map((path) => [readFileSync(path), statSync(path).mtimeMs]),
    before,
  );
  const { stderr } = await root.init('check', join(root.etcDir, 'shop-qemu.cfg'));
  assert.doesNotMatch(stderr, /DSK\d|shop-vars/);
});

test('a pipe is read to its end, can be interrupted, and one that nobody writes to holds nobody up', async (t) => {
  const root = lab(t);
  const pipe = join(root.dir, 'pipe.xml');
  execFileSync('mkfifo', [pipe]);
  const silent = await root.init('import', pipe);
  assert.equal(silent.code, 6);
  assert.match(silent.stderr, /not a definition of a machine/);

  const writer = openSync(pipe, 'r+');
  try {
    const waiting = root.spawn('qemu-init', ['import', pipe]);
    await until('the pipe is open', () => hasOpen(waiting.child.pid, pipe));
    waiting.child.kill('SIGINT');
    const interrupted = await waiting.result;
    assert.notEqual(interrupted.code, 0);
    assert.match(interrupted.stderr, /^qemu-init: Interrupted/);

    const reading = root.spawn('qemu-init', ['import', pipe, '--dry-run']);
    await until('the pipe is open', () => hasOpen(reading.child.pid, pipe));
    writeSync(writer, DOMAIN('piped', '/srv/x.img'));
    closeSync(writer);
    const { code, stdout, stderr } = await reading.result;
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^piped: would be imported/);
  } finally {
    // Closed already when all went well.
    closeSync(openSync(pipe, 'r+'));
  }

  // What a definition makes importers look at is no way to stop them either.
  const conf = root.write('pve/100.conf', 'memory: 64\nscsi0: nas:vm-100-disk-0,size=1G\n');
  execFileSync('mkfifo', [join(root.dir, 'pve/storage.cfg')]);
  const beside = await root.init('import', conf, '--dry-run');
  assert.match(beside.stderr, /pve\/storage\.cfg"\n +because: not a regular file/);
  const device = await root.init('import', '/dev/zero');
  assert.match(device.stderr, /neither a file nor a pipe/);
});

function hasOpen(pid: number | undefined, path: string): boolean {
  const dir = `/proc/${pid}/fd`;
  return readdirSync(dir).some((fd) => {
    try {
      return readlinkSync(join(dir, fd)) === path;
    } catch {
      return false;
    }
  });
}

test('wrong uses of import are refused with a hint', async (t) => {
  const root = lab(t);
  const path = root.write('vm/one.xml', DOMAIN('one', '/srv/x.img'));
  for (const [code, ...args] of [
    [2, 'import'],
    [2, 'import', path, path, '--name', 'x'],
    [2, 'import', path, '--pid', '1'],
    [2, 'import', '--pid', 'x'],
    [2, 'import', path, '--storage', 'x'],
    [2, 'import', path, '--name', 'a/b'],
    [6, 'import', '--pid', '1'],
    [6, 'import', join(root.dir, 'none.xml')],
  ] as const) {
    const result = await root.init(...args);
    assert.equal(result.code, code, `${args.join(' ')}: ${result.stderr}`);
  }
});

test('a machine is exported as a libvirt domain and as a script that shows its command line', async (t) => {
  const root = lab(t);
  root.add('web', 'NIC1=virtio-net-pci,net=user\nAUTOSTART=on\n');
  const domain = await root.one('export', 'web');
  assert.match(String(domain['text']), /<mac address='de:ad:be:ef:/);
  assert.deepEqual(
    (domain['lost'] as { key: string }[]).map(({ key }) => key),
    ['AUTOSTART'],
  );
  const script = await root.ok('export', 'web', '--format', 'command');
  assert.match(script, /^#!\/bin\/sh\nexec /);
  const path = root.write('web.sh', script);
  const again = await root.init('import', path, '--name', 'again', '--output', root.dir);
  assert.equal(again.code, 0, again.stderr);
  assert.match(readFileSync(join(root.dir, 'again-qemu.cfg'), 'utf8'), /^RAM=8M$/m);
});

test('a folder with definitions of one program is imported whole, others are refused with what to type', async (t) => {
  const root = lab(t);
  root.write('libvirt/one.xml', DOMAIN('one', '/srv/x.img'));
  root.write('libvirt/two.xml', DOMAIN('two', '/srv/x.img'));
  root.write('libvirt/networks/default.xml', '<network><name>default</name></network>\n');
  root.write('libvirt/pool.xml', '<pool type="dir"><name>x</name></pool>\n');
  root.write('libvirt/notes.conf', 'nothing of a machine\n');
  const rows = await root.json('import', join(root.dir, 'libvirt'));
  assert.deepEqual(
    rows.map(({ name, outcome }) => [name, outcome]),
    [
      ['one', 'imported'],
      ['two', 'imported'],
    ],
  );
  const named = await root.init('import', join(root.dir, 'libvirt'), '--name', 'x');
  assert.equal(named.code, 2);
  root.write(
    'vm/debian/debian.conf',
    'loader="uefi"\ncpu=1\nmemory=64M\ndisk0_type="virtio-blk"\ndisk0_name="disk0.img"\n',
  );
  const above = await root.init('import', join(root.dir, 'vm'));
  assert.equal(above.code, 6);
  assert.ok(above.stderr.includes(`they are in folders of it: ${join(root.dir, 'vm/*/*.conf')}`), above.stderr);
  const own = await root.one('import', join(root.dir, 'vm/debian'), '--name', 'bsd', '--dry-run');
  assert.deepEqual([own['name'], own['format']], ['bsd', 'vm-bhyve']);
  root.write('vm/debian/x.xml', DOMAIN('x', '/srv/x.img'));
  const mixed = await root.init('import', join(root.dir, 'vm/debian'));
  assert.equal(mixed.code, 6);
  assert.match(mixed.stderr, /definitions of several programs: .*debian\.conf \(vm-bhyve\), .*x\.xml \(libvirt\)/);
  const empty = await root.init('import', root.etcDir);
  assert.equal(empty.code, 6);
  assert.match(empty.stderr, /has no definition of a machine that can be read/);
});
