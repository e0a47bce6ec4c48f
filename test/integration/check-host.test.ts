import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { lab } from '../support/lab.ts';

const OVMF = '/usr/share/OVMF/OVMF_CODE_4M.fd';
const skip = existsSync(OVMF) ? false : 'needs apt install ovmf';

/** The values of all -drive options of flash. */
function flashOf(args: unknown): string[] {
  return Array.isArray(args) ? args.map(String).filter((arg) => arg.startsWith('if=pflash')) : [];
}

test('a firmware with vars= is flash, and the machine has its own copy of the variables', async (t) => {
  const root = lab(t);
  root.write('etc/qemu/code,1.fd', new Uint8Array(256 * 1024));
  const template = root.write('etc/qemu/vars.fd', new Uint8Array(64 * 1024).fill(7));
  root.add('web', 'FIRMWARE=code,1.fd,vars=vars.fd\n');
  root.add('bios', 'FIRMWARE=code,1.fd\n');
  assert.deepEqual(await root.ok('check'), 'web: good\nbios: good\n');
  const shown = await root.one('showcmd', 'bios');
  assert.ok((shown['args'] as string[]).includes('-bios'));
  await root.ok('start', 'web');
  const [code = '', variables = ''] = flashOf((await root.one('showcmd', 'web'))['args']);
  assert.match(code, /unit=0,format=raw,readonly=on,file=\S+code,,1\.fd$/);
  const copy = /file=(\S+)$/.exec(variables)?.[1] ?? '';
  assert.equal(join(root.stateDir, 'web', basename(copy)), copy);
  assert.deepEqual(readFileSync(copy), readFileSync(template));
  await root.ok('kill', 'web');
  const again = await root.ok('import', join(root.etcDir, 'web-qemu.cfg'), '--output', '-');
  assert.ok(again.includes(`FIRMWARE=${root.etcDir}/code,,1.fd,vars=${template}\n`), again);
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
    /bios-qemu.*"\S+odd\.fd" has 1000 bytes; the BIOS image of a PC is a multiple of 64 KiB/,
    /flash-qemu.*whose size is not a multiple of 4096 bytes/,
    /large-qemu.*larger than 8M/,
    /none-qemu.*FIRMWARE "\S+none\.fd" does not exist/,
    /code-qemu.*Warning: FIRMWARE "\S+" looks like the code of a flash firmware, and has no variables \(add ,vars=FILE\)/,
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
    new RegExp(`taken-qemu.*Warning: NIC1 cannot listen at 127.0.0.1, tcp port ${port} now: another program`),
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

test('the path of a firmware that a descriptor names is flash with its variables', { skip }, async (t) => {
  const root = lab(t);
  root.add('web', `FIRMWARE=${OVMF}\n`);
  await root.ok('check', '--try', 'web');
  await root.ok('start', 'web');
  const [code = '', variables = ''] = flashOf((await root.one('showcmd', 'web'))['args']);
  assert.ok(code.endsWith(`file=${OVMF}`), code);
  assert.match(variables, /file=\S+\/web\/vars-[0-9a-f]{8}\.fd$/);
  assert.equal(readdirSync(join(root.stateDir, 'web')).filter((name) => name.endsWith('.fd')).length, 1);
  await root.ok('kill', 'web');
  root.add('secure', `FIRMWARE=${OVMF.replace('4M', '4M.secboot')}\nRAM=64M\n`);
  await root.ok('check', '--try', 'secure');
  const secure = (await root.one('showcmd', 'secure'))['args'];
  assert.ok(Array.isArray(secure) && secure.includes('q35,smm=on'), String(secure));
});
