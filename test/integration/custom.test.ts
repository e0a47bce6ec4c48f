import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { buildArgs } from '../../src/machine/argv/build.ts';
import { ARGV_CONFIGS, argvRequest } from '../support/argv-configs.ts';
import { lab } from '../support/lab.ts';
import { repoRoot } from '../support/repo.ts';

/** Lines of [custom] that QEMU refuses next to DSK1, NIC1 and VGA=std, and what check says. */
const COLLISIONS = [
  [
    '-device virtio-rng-pci,id=dsk1-dev',
    /"-device" in \[custom\] has the id "dsk1-dev" of a device, which DSK1 has already/,
  ],
  ['-device \'{"driver":"virtio-rng-pci","id":"vga"}\'', /has the id "vga" of a device, which VGA has already/],
  ['-netdev user,id=net0', /"-netdev" in \[custom\] has the id "net0" of a netdev, which NIC1 has already/],
  ['-drive if=none,id=dsk1,driver=null-co', /has the id "dsk1" of a drive, which DSK1 has already/],
  ['-blockdev null-co,node-name=dsk1', /has the id "dsk1" of a drive, which DSK1 has already/],
  ['-chardev null,id=serial0', /has the id "serial0" of a chardev, which SERIAL has already/],
  ['-device virtio-rng-pci,addr=10', /has the PCI slot 0x10\.0, which DSK1 has already/],
  ['-device virtio-rng-pci,bus=pcie.0,addr=0x2', /has the PCI slot 0x2\.0, which VGA has already/],
  [
    '-drive if=none,id=x,driver=null-co\n-device virtio-blk-pci,drive=x,bootindex=0',
    /has bootindex 0, which DSK1 has already \(use 2 or higher\)/,
  ],
  ['-device virtio-rng-pci,id=x\n-device virtio-rng-pci,id=x', /which another line of \[custom\]/],
  [
    '-set device.dsk2-dev.write-cache=off',
    /"-set" in \[custom\] names a device "dsk2-dev", which does not exist \(did you mean "dsk1-dev"\?\)/,
  ],
] as const;

const DEVICES = 'VGA=std\nNIC1=virtio-net-pci,net=user\n';

test('what in [custom] collides with ids, slots and the boot order is named by check', async (t) => {
  const root = lab(t);
  for (const [at, [lines]] of COLLISIONS.entries()) root.add(`m${at}`, `${DEVICES}[custom]\n${lines}\n`);
  root.add('mkvm', 'MACHINE=q35,accel=kvm\n');
  root.add('good', `${DEVICES}[custom]\n-device virtio-rng-pci,id=x,addr=0x1b,bus=pcie.0\n-chardev null,id=dsk1\n`);
  const { code, stdout, stderr } = await root.init('check');
  assert.equal(code, 6, stderr);
  assert.equal(stdout, 'good: good\n');
  for (const [at, [lines, pattern]] of COLLISIONS.entries()) {
    const own = stderr.split('\n').filter((line) => line.includes(`/m${at}-qemu.cfg:`));
    assert.match(own.join('\n'), pattern, lines);
  }
  assert.match(stderr, /mkvm-qemu\.cfg:\d+: MACHINE "q35,accel=kvm" has accel=, which KVM= sets/);
});

test('-set changes a property of a device by the id that the manual lists', async (t) => {
  const root = lab(t);
  root.add('web', '[custom]\n-set device.dsk1-dev.physical_block_size=4096\n');
  await root.ok('check', 'web');
  await root.ok('start', 'web');
  const path = 'path=/machine/peripheral/dsk1-dev';
  const asked = await root.cmd('-q', 'qom-get', path, 'property=physical_block_size', 'web');
  assert.equal(asked.stdout.trim(), '4096', asked.stderr);
  await root.ok('kill', 'web');

  const manual = readFileSync(join(repoRoot, 'docs/man/qemu.cfg.5.md'), 'utf8');
  const listed = /```\n(dskN .*?)```/s.exec(manual)?.[1]?.split(/\s+/) ?? [];
  const ids = ARGV_CONFIGS.flatMap((each) =>
    buildArgs(argvRequest({ ...each, text: each.text.split('[custom]')[0] ?? '' })),
  )
    .flatMap((arg) => /(?:^|,)id=([^,]+)/.exec(arg)?.[1] ?? [])
    .map((id) => id.replace(/\d+/, 'N'));
  assert.deepEqual(
    [...new Set(ids)].filter((id) => !listed.includes(id)),
    [],
  );
});

test('check finds what only QEMU knows, at its line, also of a running machine, and leaves nothing', async (t) => {
  const root = lab(t);
  root.add('web', 'VNC=on\nVGA=std\nQGA=on\nRNG=on\nCDR1=empty\nNIC1=virtio-net-pci,net=user\n');
  await root.ok('start', 'web');
  for (const [name, lines] of [
    ['flag', 'CPU=max,+nosuch\n'],
    ['board', 'MACHINE=q35,nosuch=on\n'],
    ['option', '[custom]\n-nosuch\n'],
    [
      'property',
      '[custom]\n-chardev socket,id=x,path=/nowhere/x,server=off,reconnect=1\n-device virtio-rng-pci,nosuch=1\n',
    ],
  ] as const) {
    root.add(name, lines);
  }
  root.add(
    'good',
    '[custom]\n-drive if=none,id=x,file=/etc/hostname,readonly=on\n-device virtio-blk-pci,drive=x,serial=a\n-S\n',
  );
  root.add('kernel', 'KERNEL=/etc/passwd\n');
  root.add('card', 'NIC1=rocker,net=user\n');
  root.add('nodes', 'NUMA1=8M,cpus=0,hostnodes=63\n');
  const tried = await root.init('check');
  assert.equal(tried.code, 6);
  assert.equal(tried.stdout, 'web: good\ngood: good\n');
  assert.match(await root.ok('check', '--try', 'web'), /^web: good/);
  const said = tried.stderr.split('\n').filter((line) => !line.includes('Warning'));
  for (const [at, pattern] of [
    /flag-qemu\.cfg:\d+: QEMU refuses the machine: .* ended with exit status 1: .*nosuch/,
    /board-qemu\.cfg:\d+: QEMU refuses the machine: .*nosuch/,
    /option-qemu\.cfg:10: QEMU refuses the machine: .*-nosuch: invalid option/,
    /property-qemu\.cfg:11: QEMU refuses the machine: .*nosuch/,
    /kernel-qemu\.cfg.*QEMU refuses the machine: .*invalid kernel header/,
    /card-qemu\.cfg:\d+: QEMU refuses the machine: .*'rocker.bootindex' not found/,
    /nodes-qemu\.cfg:\d+: QEMU refuses the machine: .*host NUMA nodes/,
  ].entries()) {
    assert.match(said[at] ?? '', pattern);
  }
  assert.equal(await root.state('web'), 'running');
  await root.ok('kill', 'web');
  assert.deepEqual(root.leftovers(), []);
});

test('check opens and changes nothing that [custom] names, and says what it did not try', async (t) => {
  const root = lab(t);
  const file = join(mkdtempSync(join(tmpdir(), 'custom-')), 'precious');
  t.after(() => rmSync(dirname(file), { recursive: true }));
  writeFileSync(file, 'kept');
  root.add(
    'web',
    `[custom]
-debugcon file:${file}
-icount shift=1,rr=record,rrfile=${file}
-object memory-backend-file,id=m,size=32M,share=on,mem-path=${file}.mem
-object '{"qom-type":"secret","id":"s","file":"${file}"}'
-qtest-log ${file}
-chardev file,id=c,path=${file}
`,
  );
  const { stderr } = await root.init('check', '--try', 'web');
  assert.equal(readFileSync(file, 'utf8'), 'kept');
  assert.equal(existsSync(`${file}.mem`), false);
  for (const name of ['-icount', '-object', '-qtest-log']) {
    assert.match(stderr, new RegExp(`"${name}" in \\[custom\\] was not tried`));
  }
});

/** Lines that name what is not there; each alone keeps QEMU from starting. */
const MISSING = [
  ['-drive if=none,id=x,file=nowhere.img', /"-drive" in \[custom\]: ".*\/nowhere\.img" does not exist/],
  ['-fda nowhere.img', /"-fda" in \[custom\]: ".*\/nowhere\.img" does not exist/],
  ['-blockdev \'{"driver":"file","node-name":"x","filename":"/nowhere"}\'', /"\/nowhere" does not exist/],
  ['-blockdev raw,node-name=x,file.driver=file,file.filename=/nowhere', /"\/nowhere" does not exist/],
  ['-chardev file,id=x,path=/nowhere/f', /the folder "\/nowhere" does not exist/],
  ['-chardev socket,id=x,path=/nowhere/d/s,server=on,wait=off', /the folder "\/nowhere\/d" does not exist/],
  ['-chardev socket,id=x,fd=1729,server=on,wait=off', /open file of the program that starts QEMU, fd=1729/],
  [
    '-device \'{"driver":"vhost-vsock-pci","guest-cid":4,"vhostfd":"6789"}\'',
    /open file of the program that starts QEMU, vhostfd=6789/,
  ],
  ['-tpmdev passthrough,id=x,path=/nowhere/tpm', /"-tpmdev" in \[custom\]: "\/nowhere\/tpm" does not exist/],
  ['-device loader,file=/nowhere', /"-device" in \[custom\]: "\/nowhere" does not exist/],
  ['-object tls-creds-x509,id=x,dir=/nowhere', /"-object" in \[custom\]: "\/nowhere" does not exist/],
  ['-object memory-backend-file,id=x,size=8M,mem-path=/nowhere/m', /the folder "\/nowhere" does not exist/],
  ['-device virtio-input-host-pci,evdev=/dev/input/event1234', /"\/dev\/input\/event1234" does not exist/],
  ['-object secret,id=x,file=/nowhere', /"-object" in \[custom\]: "\/nowhere" does not exist/],
  ['-virtfs local,path=/nowhere,mount_tag=t,security_model=none', /"\/nowhere" does not exist/],
  ['-display gtk', /needs a screen/],
] as const;

test('check finds files, folders and a screen that [custom] needs and that are missing', async (t) => {
  const root = lab(t);
  for (const [at, [line]] of MISSING.entries()) root.add(`m${at}`, `[custom]\n${line}\n`);
  root.add('hook', 'PRECMD=/bin/true\n[custom]\n-fda made-by-hook.img\n');
  root.add('peer', '[custom]\n-chardev socket,id=x,path=/nowhere\n');
  root.add('remote', '[custom]\n-drive if=none,id=x,file=nbd://127.0.0.1:1/x\n');
  const env = { DISPLAY: '', WAYLAND_DISPLAY: '' };
  const { code, stdout, stderr } = await root.run('qemu-init', ['check'], { env });
  assert.equal(code, 6, stderr);
  assert.equal(stdout, 'hook: good\npeer: good\nremote: good\n', stderr);
  assert.match(stderr, /peer-qemu\.cfg:\d+: Warning: "-chardev" in \[custom\]: "\/nowhere" does not exist/);
  for (const [at, [line, pattern]] of MISSING.entries()) {
    const own = stderr.split('\n').filter((each) => each.includes(`/m${at}-qemu.cfg:`) && !each.includes('Warning'));
    assert.match(own.join('\n'), pattern, line);
  }
});

test('images of [custom] are said to be left out of snapshots and backups, and a saved state is bound to them', async (t) => {
  const root = lab(t);
  root.ownPorts();
  const extra = join(root.etcDir, 'extra, ü.qcow2');
  for (const file of [join(root.etcDir, 'web.qcow2'), extra]) {
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', file, '8M']);
  }
  const drive = `-drive "if=none,id=extra,format=qcow2,file=${extra.replace(',', ',,')}" -device virtio-blk-pci,drive=extra`;
  root.add('web', `DSK1=web.qcow2\n[custom]\n${drive}\n`);
  const dest = join(root.dir, 'backups');
  mkdirSync(dest);
  for (const state of ['stopped', 'running']) {
    if (state === 'running') await root.ok('start', 'web');
    const snapshot = await root.init('snapshot', 'create', 'web', state);
    assert.equal(snapshot.code, 0, snapshot.stderr);
    assert.match(snapshot.stderr, /not in the snapshot: ".*extra, ü\.qcow2" of \[custom\]/);
    const backup = await root.init('backup', 'create', 'web', dest);
    assert.equal(backup.code, 0, backup.stderr);
    assert.match(backup.stderr, /not in the backup: ".*extra, ü\.qcow2" of \[custom\]/);
  }
  await root.ok('save', 'web');
  await root.ok('start', 'web');
  await root.ok('save', 'web');
  execFileSync('qemu-io', ['-c', 'write -P 7 0 64k', extra], { stdio: 'ignore' });
  const refused = await root.init('start', 'web');
  assert.equal(refused.code, 1, refused.stderr);
  assert.match(
    refused.stderr,
    /image 1 of \[custom\], ".*extra, ü\.qcow2" (?:has \d+ bytes and had \d+|was written to since)/,
  );
  await root.ok('start', 'web', '--fresh');
});
