import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Lab, LIGHT, lab } from '../support/lab.ts';
import { makeOverlay, qemuImg } from '../support/odd-images.ts';

const OVMF = '/usr/share/OVMF/OVMF_CODE_4M.fd';
const skip = existsSync(OVMF) ? false : 'needs apt install ovmf';

/** The values of all -drive options of flash. */
function flashOf(args: unknown): string[] {
  return Array.isArray(args) ? args.map(String).filter((arg) => arg.startsWith('if=pflash')) : [];
}

test('a firmware with vars= is flash, and the guest writes to the file that is named', async (t) => {
  const root = lab(t);
  root.write('etc/qemu/code,1.fd', new Uint8Array(256 * 1024));
  const variables = root.write('etc/qemu/vars.fd', new Uint8Array(64 * 1024).fill(7));
  root.add('web', 'FIRMWARE=code,1.fd,vars=vars.fd\n');
  root.add('bios', 'FIRMWARE=code,1.fd\n');
  assert.deepEqual(await root.ok('check'), 'web: good\nbios: good\n');
  const shown = await root.one('showcmd', 'bios');
  assert.ok((shown['args'] as string[]).includes('-bios'));
  await root.ok('start', 'web');
  const [code = '', flash = ''] = flashOf((await root.one('showcmd', 'web'))['args']);
  assert.match(code, /unit=0,format=raw,readonly=on,file=\S+code,,1\.fd(?:,[^,]|$)/);
  assert.ok(`${flash},`.includes(`format=raw,file=${variables},`), flash);
  root.add('twin', 'FIRMWARE=code,1.fd,vars=vars.fd\n');
  assert.match((await root.init('start', 'twin')).stderr, /FIRMWARE ".*vars\.fd" is FIRMWARE of machine "web" too/);
  await root.ok('kill', 'web');
  assert.equal(existsSync(join(root.stateDir, 'web', 'vars.fd')), false);
  const again = await root.ok('import', join(root.etcDir, 'web-qemu.cfg'), '--output', '-');
  assert.ok(again.includes(`FIRMWARE=${root.etcDir}/code,,1.fd,vars=${variables}\n`), again);
});

test('variables that other machines begin with, or that are elsewhere by now, are named with the way out', async (t) => {
  const root = lab(t);
  const code = root.write('etc/qemu/code.fd', new Uint8Array(256 * 1024));
  const file = root.write('etc/qemu/vars.fd', new Uint8Array(64 * 1024));
  root.add('web', 'FIRMWARE=code.fd,vars=vars.fd\n');
  const name = createHash('sha256').update(`${code}${file}`).digest('hex').slice(0, 8);
  const old = root.write(`var/lib/qemu-init/web/vars-${name}.fd`, new Uint8Array(64 * 1024));
  const refused = await root.init('start', 'web');
  assert.equal(refused.code, 6);
  assert.match(refused.stderr, /so far this machine's variables are in "(\S+)".*vars=\1/s);
  root.write('etc/qemu/web-qemu.cfg', `${LIGHT}DSK1=web.img\nFIRMWARE=code.fd,vars=${old}\n`);
  await root.ok('start', 'web');
  await root.ok('kill', 'web');
  root.write('etc/qemu/web-qemu.cfg', `${LIGHT}DSK1=web.img\nFIRMWARE=code.fd,vars=gone.fd\n`);
  assert.match(
    (await root.init('check', 'web')).stderr,
    /FIRMWARE "\S+gone\.fd" does not exist \(create it: cp TEMPLATE/,
  );
});

test('check refuses an image that QEMU does not take as firmware', async (t) => {
  const root = lab(t);
  root.write('etc/qemu/odd.fd', new Uint8Array(1000));
  root.write('etc/qemu/big.fd', new Uint8Array(8 * 1024 ** 2));
  root.write('etc/qemu/OVMF_CODE.fd', new Uint8Array(128 * 1024));
  root.add('bios', 'FIRMWARE=odd.fd\n');
  root.add('flash', 'FIRMWARE=big.fd,vars=odd.fd\n');
  root.add('large', 'FIRMWARE=big.fd,vars=OVMF_CODE.fd\n');
  root.add('none', 'FIRMWARE=big.fd,vars=none.fd\n');
  root.add('code', 'FIRMWARE=OVMF_CODE.fd\n');
  const { code, stdout, stderr } = await root.init('check');
  assert.equal(code, 6);
  assert.equal(stdout, 'code: good\n');
  for (const pattern of [
    /bios-qemu.*"\S+odd\.fd" has 1000 bytes; the BIOS image of a PC must be a multiple of 64 KiB/,
    /flash-qemu.*FIRMWARE "\S+odd\.fd" has 1000 bytes; flash needs a multiple of 4096/,
    /large-qemu.*larger than 8M/,
    /none-qemu.*FIRMWARE "\S+none\.fd" does not exist/,
    /code-qemu.*Warning: FIRMWARE "\S+" looks like the code of a flash firmware, but has no variables \(add ,vars=FILE\)/,
  ]) {
    assert.match(stderr, pattern);
  }
  assert.match((await root.init('start', 'large')).stderr, /larger than 8M/);
});

test('check warns of addresses and ports that QEMU cannot listen at now', async (t) => {
  const root = lab(t);
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  root.write('etc/qemu/pw', 'secret\n');
  chmodSync(join(root.etcDir, 'pw'), 0o600);
  root.add('taken', `NIC1=virtio,net=user,hostfwd=tcp:127.0.0.1:${port}-:22\n`);
  root.add('foreign', 'NIC1=virtio,net=user,hostfwd=udp:192.0.2.9:53-:53\nVNC=192.0.2.77,password=pw\n');
  const { code, stderr } = await root.init('check');
  assert.equal(code, 0, stderr);
  assert.match(
    stderr,
    new RegExp(
      `taken-qemu.*Warning: NIC1 cannot listen at 127.0.0.1, tcp port ${port} now: "node" \\(pid ${process.pid}\\) has it`,
    ),
  );
  assert.match(
    stderr,
    /foreign-qemu.*Warning: NIC1 cannot listen at 192.0.2.9, udp port 53 now: that is not an address/,
  );
  assert.match(
    stderr,
    /foreign-qemu.*Warning: VNC cannot listen at 192.0.2.77 now: that is not an address of this host/,
  );
});

test('the variables of each firmware are a qcow2 file of their own, which no header leads out of', {
  skip,
}, async (t) => {
  const root = lab(t);
  const stores = (): string[] => namesOfStores(root);
  const cfg = (firmware: string): string =>
    root.write('etc/qemu/web-qemu.cfg', `${LIGHT.replace('8M', '64M')}DSK1=web.img\n${firmware}\n`);
  root.add('web', `FIRMWARE=${OVMF}\n`);
  await root.ok('check', '--try', 'web');
  await root.ok('start', 'web');
  const [code = '', variables = ''] = flashOf((await root.one('showcmd', 'web'))['args']);
  assert.ok(`${code},`.includes(`file=${OVMF},`), code);
  assert.match(variables, /format=qcow2,file=\S+\/web\/vars-[0-9a-f]{8}\.qcow2(?:,|$)/);
  assert.equal(stores().length, 1);
  await root.ok('kill', 'web');
  // By whatever name it is the same firmware.
  cfg('FIRMWARE=uefi');
  assert.deepEqual(flashOf((await root.one('showcmd', 'web'))['args']), [code, variables]);
  cfg(`FIRMWARE=${OVMF.replace('4M', '4M.ms')}`);
  await root.ok('check', '--try', 'web');
  const secure = await root.one('showcmd', 'web');
  assert.ok(Array.isArray(secure['args']) && secure['args'].includes('q35,smm=on'));
  const started = await root.init('start', 'web');
  assert.match(started.stderr, /FIRMWARE has changed: the variables of .* are new/);
  await root.ok('kill', 'web');
  assert.equal(stores().length, 2);
  assert.doesNotMatch((await root.init('start', 'web')).stderr, /FIRMWARE/);
  await root.ok('kill', 'web');
  // What a captured QEMU makes of them.
  cfg(`FIRMWARE=${OVMF}`);
  const [, file = ''] = /,file=([^,]+)/.exec(variables) ?? [];
  makeOverlay(file, root.write('secret', new Uint8Array(540_672)), 'raw');
  for (const action of ['check', 'start', 'showcmd']) {
    const refused = await root.init(action, 'web');
    assert.equal(refused.code, 6);
    assert.match(refused.stderr, /FIRMWARE variables "\S+" refers to another file, which variables never do/);
  }
  qemuImg('create', '-q', '-f', 'qcow2', file, '1M');
  assert.match(
    (await root.init('start', 'web')).stderr,
    /variables "\S+" have 1048576 bytes, but those of .* have 540672/,
  );
});

test('variables from before are used on, raw or qcow2, under the name of their firmware', { skip }, async (t) => {
  const root = lab(t);
  const template = '/usr/share/OVMF/OVMF_VARS_4M.fd';
  for (const format of ['raw', 'qcow2']) {
    root.add(format, 'FIRMWARE=uefi\n');
    mkdirSync(join(root.stateDir, format), { recursive: true });
    qemuImg('convert', '-f', 'raw', '-O', format, template, join(root.stateDir, format, 'vars.fd'));
    assert.equal(await root.ok('check', format), `${format}: good\n`);
    await root.ok('start', format);
    const [, variables = ''] = flashOf((await root.one('showcmd', format))['args']);
    assert.match(variables, new RegExp(`format=${format},file=\\S+/vars-[0-9a-f]{8}\\.fd(?:,|$)`));
    assert.deepEqual(namesOfStores(root, format).length, 1);
    await root.ok('kill', format);
  }
  root.add('other', 'FIRMWARE=uefi\n');
  root.write('var/lib/qemu-init/other/vars.fd', new Uint8Array(131_072));
  assert.match((await root.init('start', 'other')).stderr, /the variables of "\S+" are new/);
  await root.ok('kill', 'other');
  assert.equal(namesOfStores(root, 'other').length, 2);
  root.write('etc/qemu/other-qemu.cfg', `${LIGHT}DSK1=other.img\nFIRMWARE=uefi,vars=${template}\n`);
  assert.match((await root.init('check', 'other')).stderr, /variables are in "\S+vars\.fd", not in|is the template/);
  rmSync(join(root.stateDir, 'other/vars.fd'));
  assert.match((await root.init('start', 'other')).stderr, /is the template for all machines/);
});

const AAVMF = '/usr/share/AAVMF/AAVMF_VARS.fd';
const skipArm = existsSync(AAVMF) ? false : 'needs apt install qemu-efi-aarch64';

test('a machine of another target does not get the variables that it had', { skip: skipArm }, async (t) => {
  const root = lab(t);
  root.add('web', 'TGTARCH=qemu-system-aarch64\nFIRMWARE=uefi\n');
  root.write('var/lib/qemu-init/web/vars.fd', new Uint8Array(540_672));
  assert.match((await root.init('start', 'web', '--paused')).stderr, /the variables of "\S+" are new/);
  await root.ok('kill', 'web');
  const [store = ''] = namesOfStores(root).filter((name) => name !== 'vars.fd');
  const path = join(root.stateDir, 'web', store);
  assert.ok(statSync(path).size < 1024 ** 2, 'of 64 MiB that are empty');
  rmSync(path);
  qemuImg('create', '-q', '-f', 'qcow2', path, '540672');
  assert.match(
    (await root.init('check', 'web')).stderr,
    /have 540672 bytes, but those of "\S+" have 67108864: they belong/,
  );
});

function namesOfStores(root: Lab, machine = 'web'): string[] {
  return readdirSync(join(root.stateDir, machine)).filter((name) => /\.(?:fd|qcow2)$/.test(name));
}
