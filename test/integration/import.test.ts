import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeGuestDisk } from '../../scripts/guest-disk.mjs';
import { lab } from '../support/lab.ts';

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

test('a domain of libvirt is imported, boots with its UUID and MAC, and its command line is imported again', async (t) => {
  const root = lab(t);
  const disk = join(root.dir, 'vm/a, b.img');
  writeGuestDisk(root.write('vm/a, b.img', ''));
  const source = root.write('vm/shop.xml', DOMAIN('shop', disk));
  const imported = await root.one('import', source);
  assert.deepEqual([imported['name'], imported['format'], imported['outcome']], ['shop', 'libvirt', 'imported']);
  assert.deepEqual(
    (imported['lost'] as { source: string }[]).map((item) => item.source),
    ['<cputune>'],
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
  assert.match(result.stdout, /^# +line 7: <cputune>: /m);
  const huge = await root.run('qemu-init', ['import', '-', '--output', '-'], { input: `<a>${' '.repeat(3e6)}` });
  assert.equal(huge.code, 6);
  assert.match(huge.stderr, /larger than/);
});

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
