import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Lab, lab } from '../support/lab.ts';
import { makeEncryptedQcow2, makeLuks } from '../support/luks-image.ts';
import { makeOverlay, overlayHeader, overwrite, qemuImg } from '../support/odd-images.ts';

const NOBODY = 65534;

/** Paths and names that QEMU has open as block nodes. */
async function nodesOf(host: Lab, machine: string): Promise<string> {
  const result = await host.cmd('-q', 'query-named-block-nodes', machine);
  assert.equal(result.code, 0, result.stderr);
  return result.stdout;
}

test('a guest that writes another header to its raw disk gets no other file of the host, whatever name the disk has by then', async (t) => {
  const host = lab(t);
  const secret = host.write('secret', 'x'.repeat(1024 * 1024));
  host.add('web');
  const disk = join(host.etcDir, 'web.img');
  await host.ok('start', 'web');
  assert.match(await host.ok('showcmd', 'web'), /web\.img,format=raw/);
  await host.ok('kill', 'web');
  const before = readFileSync(disk);
  overwrite(disk, overlayHeader(join(host.dir, 'evil'), secret));

  const refused = await host.init('start', 'web');
  assert.equal(refused.code, 6);
  assert.match(refused.stderr, /DSK1 ".*web\.img" was raw when .* now looks like qcow2.*format=raw.*format=qcow2/s);
  const checked = await host.init('check', 'web');
  assert.equal(checked.code, 6);
  assert.doesNotMatch(checked.stdout, /secret/);

  const renamed = join(host.etcDir, 'renamed.img');
  renameSync(disk, renamed);
  host.add('other', 'DSK1=renamed.img\n');
  host.write('etc/qemu/web-qemu.cfg', readFileSync(join(host.etcDir, 'other-qemu.cfg')));
  for (const name of ['web', 'other']) {
    const again = await host.init('start', name);
    assert.equal(again.code, 6, name);
    assert.match(again.stderr, /renamed\.img" was raw/);
  }

  host.add('declared', 'DSK1=renamed.img,format=raw\n');
  await host.ok('start', 'declared');
  assert.doesNotMatch(await nodesOf(host, 'declared'), /secret|qcow2/);
  await host.ok('kill', 'declared');
  overwrite(renamed, before.subarray(0, 8192));
  await host.ok('start', 'web');
  await host.ok('kill', 'web');
});

test('an image that was replaced starts once its format is declared, or once the machine was registered anew', async (t) => {
  const host = lab(t);
  host.add('web');
  await host.ok('start', 'web');
  await host.ok('kill', 'web');
  const disk = join(host.etcDir, 'web.img');
  qemuImg('convert', '-f', 'raw', '-O', 'qcow2', disk, `${disk}.new`);
  renameSync(`${disk}.new`, disk);
  assert.equal((await host.init('start', 'web')).code, 6);
  const cfg = join(host.etcDir, 'web-qemu.cfg');
  const text = readFileSync(cfg, 'utf8');
  writeFileSync(cfg, text.replace('web.img', 'web.img,format=qcow2'));
  await host.ok('start', 'web');
  await host.ok('kill', 'web');
  writeFileSync(cfg, text);
  assert.match(await host.ok('showcmd', 'web'), /format=qcow2/);
  qemuImg('convert', '-f', 'qcow2', '-O', 'qed', disk, `${disk}.new`);
  renameSync(`${disk}.new`, disk);
  assert.equal((await host.init('start', 'web')).code, 6);
  await host.ok('unregister', 'web');
  await host.ok('register', 'web');
  assert.match(await host.ok('showcmd', 'web'), /format=qed/);
});

test('a disk whose guest encrypted it starts as the raw disk that it is, declared or not', async (t) => {
  const host = lab(t);
  const luks = join(host.dir, 'luks');
  makeLuks(luks, 'secret');
  for (const [name, value] of [
    ['bare', ''],
    ['declared', ',format=raw'],
  ] as const) {
    host.add(name, `DSK1=${name}.img${value}\n`);
    writeFileSync(join(host.etcDir, `${name}.img`), Buffer.alloc(2 * 1024 * 1024));
    await host.ok('start', name);
    await host.ok('kill', name);
    overwrite(join(host.etcDir, `${name}.img`), readFileSync(luks));
    assert.equal(await host.ok('check', name), `${name}: good\n`);
    await host.ok('start', name);
    await host.ok('kill', name);
  }
});

test('a CD-ROM is raw, whatever it begins with', async (t) => {
  const host = lab(t);
  const secret = host.write('secret', 'x'.repeat(1024 * 1024));
  makeOverlay(join(host.etcDir, 'cd.iso'), secret, 'raw');
  host.add('web', 'CDR1=cd.iso\n');
  assert.match(
    (await host.init('check', 'web')).stderr,
    /Warning: CDR1 ".*cd\.iso" is a qcow2 image, but CD-ROMs are always raw/,
  );
  await host.ok('start', 'web');
  assert.doesNotMatch(await nodesOf(host, 'web'), /secret|qcow2/);
  await host.ok('kill', 'web');
});

test('a disc that is optional leaves its drive empty when it is missing', async (t) => {
  const host = lab(t);
  host.add('web', 'CDR1=gone.iso,optional\nCDR2=needed.iso\n');
  host.write('etc/qemu/needed.iso', Buffer.alloc(2048));
  const started = await host.init('start', 'web');
  assert.equal(started.code, 0, started.stderr);
  assert.match(started.stderr, /CDR1 ".*gone\.iso" does not exist: the drive is empty/);
  assert.match(await host.ok('showcmd', 'web'), /if=none,id=cdr1,media=cdrom/);
  host.write('etc/qemu/gone.iso', Buffer.alloc(2048));
  await host.ok('reload', 'web');
  assert.match(await nodesOf(host, 'web'), /gone\.iso/);
  await host.ok('kill', 'web');
  rmSync(join(host.etcDir, 'needed.iso'));
  assert.equal((await host.init('start', 'web')).code, 6);
});

test('check and explain show everything that a disk consists of, by the same rules as QEMU', async (t) => {
  const host = lab(t);
  const at = (name: string): string => join(host.etcDir, name);
  qemuImg('create', '-q', '-f', 'raw', at('base.raw'), '1M');
  qemuImg('create', '-q', '-f', 'qcow2', '-b', 'base.raw', '-F', 'raw', at('middle.qcow2'));
  qemuImg(
    'create',
    '-q',
    '-f',
    'qcow2',
    '-b',
    `json:{"driver":"qcow2","file":{"driver":"file","filename":"${at('middle.qcow2')}"}}`,
    '-F',
    'qcow2',
    at('top.qcow2'),
  );
  qemuImg('create', '-q', '-f', 'qcow2', '-o', `data_file=${at('data.raw')}`, at('split.qcow2'), '1M');
  qemuImg('create', '-q', '-f', 'vmdk', '-o', 'subformat=twoGbMaxExtentFlat', at('flat.vmdk'), '1M');
  qemuImg('create', '-q', '-f', 'raw', at('plain.raw'), '1M');
  host.add('web', 'DSK1=top.qcow2,format=qcow2\nDSK2=split.qcow2\nDSK3=flat.vmdk\nDSK4=plain.raw\n');
  const wanted = [
    ['DSK1', 'top.qcow2', 'qcow2', 'image', 0],
    ['DSK1', 'middle.qcow2', 'qcow2', 'backing', 1],
    ['DSK1', 'base.raw', 'raw', 'backing', 2],
    ['DSK2', 'split.qcow2', 'qcow2', 'image', 0],
    ['DSK2', 'data.raw', 'raw', 'data', 0],
    ['DSK3', 'flat.vmdk', 'vmdk', 'image', 0],
    ['DSK3', 'flat-f001.vmdk', 'raw', 'extent', 0],
    ['DSK4', 'plain.raw', 'raw', 'image', 0],
  ].map(([key, file, format, role, depth]) => ({ key, file: at(String(file)), format, role, depth }));
  for (const action of ['check', 'explain']) {
    const document = await host.one(action, 'web');
    assert.deepEqual(document['images'], wanted, action);
    const text = await host.ok(action, 'web');
    assert.match(text, new RegExp(`DSK1 rests on ${at('base.raw')} \\(raw\\)`));
    assert.match(text, new RegExp(`DSK2 has its data in ${at('data.raw')} \\(raw\\)`));
    assert.doesNotMatch(text, /DSK4 rests|DSK4 has/);
  }
  await host.ok('start', 'web');
  const nodes = await nodesOf(host, 'web');
  for (const { file } of wanted) assert.ok(nodes.includes(file), file);
  await host.ok('kill', 'web');
  rmSync(at('base.raw'));
  rmSync(at('data.raw'));
  const checked = await host.init('check', 'web');
  assert.equal(checked.code, 6);
  assert.match(checked.stderr, /DSK1 rests on ".*base\.raw", which does not exist/);
  assert.match(checked.stderr, /DSK2 rests on ".*data\.raw", which does not exist/);
});

test('an image that leads QEMU to the network or to a driver is refused, by every command and with no connection, unless the cfg names it', async (t) => {
  const host = lab(t);
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const image = join(host.etcDir, 'web.qcow2');
  host.add('web', 'DSK1=web.qcow2,format=qcow2\n');
  makeOverlay(image, `nbd://127.0.0.1:${port}/x`, 'raw');
  for (const action of ['check', 'start', 'showcmd']) {
    const result = await host.init(action, 'web');
    assert.equal(result.code, 6, `${action}: ${result.stdout}${result.stderr}`);
    assert.match(result.stderr, /which is not a file of this host/);
  }
  assert.equal((await host.init('doctor')).code, 1);
  assert.equal(connections, 0);

  host.add('named', `DSK1=web.qcow2,format=qcow2,backing=nbd://127.0.0.1:${port}/x\n`);
  assert.equal((await host.init('check', 'named')).code === 6, true, 'web has the same image');
  rmSync(join(host.etcDir, 'web-qemu.cfg'));
  host.write('etc/qemu/qemu-init.reg', 'named=named\n');
  assert.match(await host.ok('check', 'named'), /named: good\n {2}DSK1 rests on nbd:/);
  assert.equal((await host.init('start', 'named')).code, 1);
  assert.notEqual(connections, 0);
});

test('a base whose format no header names is opened as what it looks like, and refused when it leads on', async (t) => {
  const host = lab(t);
  const at = (name: string): string => join(host.etcDir, name);
  const secret = host.write('secret', 'x'.repeat(1024 * 1024));
  qemuImg('create', '-q', '-f', 'raw', at('base.raw'), '1M');
  makeOverlay(at('web.qcow2'), 'base.raw', undefined);
  host.add('web', 'DSK1=web.qcow2\n');
  assert.match(await host.ok('showcmd', 'web'), /backing\.driver=raw/);
  await host.ok('start', 'web');
  await host.ok('kill', 'web');
  makeOverlay(at('base.raw'), secret, 'raw');
  const led = await host.init('start', 'web');
  assert.equal(led.code, 6);
  assert.match(led.stderr, /base\.raw" leads QEMU to ".*secret", which it did not/);
  qemuImg('create', '-q', '-f', 'raw', at('deep.raw'), '1M');
  makeOverlay(at('base.raw'), 'deep.raw', 'raw');
  const refused = await host.init('start', 'web');
  assert.equal(refused.code, 6);
  assert.match(
    refused.stderr,
    /web\.qcow2" does not record the format of its backing file ".*base\.raw".*qemu-img rebase -u -F/s,
  );
});

test('where a header must not lead QEMU is shown and opened by nothing, until the cfg allows it', async (t) => {
  const host = lab(t);
  const at = (name: string): string => join(host.etcDir, name);
  const secret = host.write('secret', 'x'.repeat(1024 * 1024));
  host.add('web', 'DSK1=web.qcow2,format=qcow2\n');
  qemuImg('create', '-q', '-f', 'qcow2', at('web.qcow2'), '1M');
  await host.ok('start', 'web');
  await host.ok('kill', 'web');
  // What a captured QEMU writes: a backing file, or data in a file that belongs to somebody else.
  const attacks = [
    () => makeOverlay(at('web.qcow2'), '../../secret', 'raw'),
    () => qemuImg('create', '-q', '-f', 'qcow2', '-o', `data_file=${secret},data_file_raw=on`, at('web.qcow2'), '1M'),
  ];
  for (const attack of attacks) {
    rmSync(at('web.qcow2'));
    attack();
    for (const action of ['check', 'start', 'showcmd', 'explain']) {
      const result = await host.init(action, 'web');
      assert.equal(result.code, 6, `${action}: ${result.stdout}${result.stderr}`);
      assert.match(result.stderr, /DSK1: ".*web\.qcow2" leads QEMU to ".*secret", which it did not.*backing=.*secret/s);
    }
    const doctor = await host.init('doctor');
    assert.equal(doctor.code, 1);
    assert.match(doctor.stdout, /leads QEMU to ".*secret"/);
    assert.doesNotMatch(doctor.stdout, /No right to use|chown|chgrp/);
  }
  const cfg = readFileSync(at('web-qemu.cfg'), 'utf8');
  writeFileSync(at('web-qemu.cfg'), cfg.replace('format=qcow2', `format=qcow2,backing=${secret}`));
  await host.ok('start', 'web');
  assert.match(await nodesOf(host, 'web'), /secret/);
  await host.ok('kill', 'web');
  writeFileSync(at('web-qemu.cfg'), cfg);
  await host.ok('check', 'web');
});

test('a base that changes beneath its overlay is told of, until the machine is registered anew', async (t) => {
  const host = lab(t);
  const base = join(host.etcDir, 'base.raw');
  qemuImg('create', '-q', '-f', 'raw', base, '1M');
  qemuImg('create', '-q', '-f', 'qcow2', '-b', 'base.raw', '-F', 'raw', join(host.etcDir, 'web.qcow2'));
  host.add('web', 'DSK1=web.qcow2\n');
  for (let count = 0; count < 2; count += 1) {
    const started = await host.init('start', 'web');
    assert.doesNotMatch(started.stderr, /changed/);
    await host.ok('kill', 'web');
  }
  truncateSync(base, 2 * 1024 * 1024);
  for (let count = 0; count < 2; count += 1) {
    const started = await host.init('start', 'web');
    assert.equal(started.code, 0);
    assert.match(
      started.stderr,
      /DSK1 rests on ".*base\.raw", which has changed since it was first used .*2097152 bytes/,
    );
    await host.ok('kill', 'web');
  }
  assert.match((await host.init('check', 'web')).stderr, /has changed/);
  await host.ok('register', 'web');
  assert.doesNotMatch((await host.init('check', 'web')).stderr, /has changed/);
});

test('an image that QEMU can only read is refused where the guest writes, with the way out', async (t) => {
  const host = lab(t);
  const at = (name: string): string => join(host.etcDir, name);
  writeFileSync(at('in.raw'), Buffer.alloc(1024 * 1024, 'x'));
  qemuImg('convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=streamOptimized', at('in.raw'), at("it's.vmdk"));
  writeFileSync(at('x.dmg'), Buffer.concat([Buffer.alloc(1024), Buffer.from('koly'), Buffer.alloc(508)]));
  qemuImg('create', '-q', '-f', 'qcow2', at('torn.qcow2'), '1M');
  const torn = readFileSync(at('torn.qcow2'));
  // "incompatible_features" of QEMU's docs/interop/qcow2.txt.
  torn.writeUInt8(2, 79);
  writeFileSync(at('torn.qcow2'), torn);
  host.add('web', "DSK1=it's.vmdk\nDSK2=x.dmg,format=dmg\nDSK3=torn.qcow2\n");
  const refused = await host.init('start', 'web');
  assert.equal(refused.code, 6);
  const line = /(qemu-img convert -f vmdk -O qcow2 .*), and name that file/.exec(refused.stderr)?.[1] ?? '';
  assert.match(refused.stderr, /DSK2.*x\.dmg" is of a format that QEMU only reads/);
  assert.match(refused.stderr, /DSK3.*torn\.qcow2" is marked as corrupt.*qemu-img check -r all/);
  execFileSync('bash', ['-c', line]);
  host.add('converted', "DSK1=it's.qcow2\n");
  await host.ok('start', 'converted');
  await host.ok('kill', 'converted');
  rmSync(at('web-qemu.cfg'));
  host.add('reader', "DSK1=it's.vmdk,readonly=on\nDSK2=x.dmg,format=dmg,readonly=on\n");
  await host.ok('check', 'reader');
  host.add('thrower', "DSK1=it's.vmdk,snapshot=on\n");
  await host.ok('start', 'thrower');
  await host.ok('kill', 'thrower');
});

test('an encrypted disk is opened with its key, which is on no command line and left nowhere', async (t) => {
  const host = lab(t);
  const at = (name: string): string => join(host.etcDir, name);
  const key = host.write('etc/qemu/disk,key', 'sécret\n');
  chmodSync(key, 0o644);
  makeLuks(at('a.luks'), 'sécret\n');
  makeEncryptedQcow2(at('b.qcow2'), 'sécret\n');
  qemuImg('create', '-q', '-f', 'qcow2', '-u', '-b', 'base.qcow2', '-F', 'qcow2', at('top.qcow2'), '1M');
  const disks = ['a.luks,format=luks', 'b.qcow2', 'a2.luks', 'top.qcow2', 'b2.qcow2,snapshot=on'];
  copyFileSync(at('a.luks'), at('a2.luks'));
  for (const copy of ['b2.qcow2', 'base.qcow2']) copyFileSync(at('b.qcow2'), at(copy));
  const lines = (option: string): string => disks.map((disk, at) => `DSK${at + 1}=${disk}${option}\n`).join('');
  host.add('web', lines(',key=disk,,key'));
  const open = await host.init('check', 'web');
  assert.equal(open.code, 6);
  assert.match(open.stderr, /DSK1 key ".*disk,key" can be used by others \(chmod 600/);
  chmodSync(key, 0o600);
  await host.ok('start', 'web');
  assert.equal(await host.state('web'), 'running');
  assert.equal(existsSync(host.file('web', 'keys')), false);
  const pid = Number((await host.one('status', 'web'))['pid']);
  assert.doesNotMatch(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), /sécret/);
  await host.ok('kill', 'web');

  host.add('without', 'DSK1=b.qcow2\nDSK2=a.luks,format=luks\n');
  assert.match(
    (await host.init('check', 'without')).stderr,
    /DSK1: ".*b\.qcow2" is encrypted \(name the file with its key/,
  );
  host.write('etc/qemu/wrong', Buffer.from([255]));
  chmodSync(at('wrong'), 0o600);
  host.add('wrong', 'DSK1=b.qcow2,key=wrong\n');
  assert.match((await host.init('check', 'wrong')).stderr, /DSK1 key ".*wrong" is not UTF-8 text/);
  host.write('etc/qemu/wrong', 'x');
  const failed = await host.init('start', 'wrong');
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /key/i);
  assert.equal(existsSync(host.file('wrong', 'keys')), false);
});

const isRoot = process.getuid?.() === 0;

test('with RUNAS the key reaches the QEMU of that user, and qemu-img is that user without a network and with little memory', {
  skip: isRoot ? false : 'needs root',
}, async (t) => {
  const host = lab(t);
  const at = (name: string): string => join(host.etcDir, name);
  chmodSync(host.dir, 0o711);
  const key = host.write('etc/qemu/key', 'secret');
  chmodSync(key, 0o600);
  makeLuks(at('web.luks'), 'secret');
  qemuImg('create', '-q', '-f', 'qcow2', at('data.qcow2'), '1M');
  for (const name of ['web.luks', 'data.qcow2']) chownSync(at(name), NOBODY, NOBODY);
  const nic = 'NIC1=e1000,net=none\nNETIF=managed\nRUNAS=nobody\n';
  host.add('web', `DSK1=web.luks,format=luks,key=key\nDSK2=data.qcow2\n${nic}`);
  await host.ok('start', 'web');
  assert.equal(existsSync(host.file('web', 'keys')), false);
  await host.ok('kill', 'web');

  const log = host.write('log', '');
  chmodSync(log, 0o666);
  const spy = `#!/bin/sh\necho "$(id -u) $(ulimit -v) $(tail -n +3 /proc/net/dev | grep -c -v lo:)" >> ${log}\nexec /usr/bin/qemu-img "$@"\n`;
  chmodSync(host.write('bin/qemu-img', spy), 0o755);
  const env = { PATH: `${join(host.dir, 'bin')}:${process.env['PATH']}` };
  await host.run('qemu-init', ['doctor'], { env });
  await host.run('qemu-init', ['create', 'new', '--disk', '1M', 'RUNAS=nobody', 'NETIF=managed'], { env });
  const calls = readFileSync(log, 'utf8').trim().split('\n');
  assert.equal(calls.length, 2, calls.join());
  for (const call of calls) {
    const [uid, kilobytes, interfaces] = call.split(' ').map(Number);
    assert.equal(uid, NOBODY);
    assert.ok(Number(kilobytes) < 500_000, call);
    assert.equal(interfaces, 0, call);
  }
  const { mode, uid } = statSync(at('new.qcow2'));
  assert.deepEqual([mode & 0o777, uid], [0o600, NOBODY]);
});
