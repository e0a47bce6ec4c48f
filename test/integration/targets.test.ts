import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findProgram } from '../../src/system/process/find-program.ts';
import { type Lab, lab } from '../support/lab.ts';

/** What one check says of machines that each have one mistake; one of them is then started, to the same end. */
async function assertRefused(
  root: Lab,
  mistakes: readonly (readonly [lines: string, pattern: RegExp])[],
): Promise<void> {
  for (const [at, [lines]] of mistakes.entries()) root.add(`m${at}`, `DSK1=\n${lines}`);
  const { code, stderr } = await root.init('check');
  assert.equal(code, 6, stderr);
  const said = stderr.split('\n').filter((line) => !line.includes('Warning'));
  for (const [at, [lines, pattern]] of mistakes.entries()) {
    const own = said.filter((line) => line.includes(`/m${at}-qemu.cfg:`)).join('\n');
    assert.match(own, pattern, lines);
  }
  const last = mistakes.length - 1;
  const started = await root.init('start', `m${last}`);
  assert.equal(started.code, 6, started.stderr);
  assert.match(started.stderr, mistakes[last]?.[1] ?? /^$/);
}

/** Targets whose machines start with nothing set but TGTARCH, and the Debian package of each. */
const TARGETS = { aarch64: 'arm', riscv64: 'misc', s390x: 'misc', ppc64le: 'ppc', loongarch64: 'misc', m68k: 'misc' };

const [missing, present] = [false, true].map((isThere) =>
  Object.entries(TARGETS).filter(([target]) => (findProgram(`qemu-system-${target}`) !== undefined) === isThere),
);
const noTarget = present?.length === 0 ? 'needs apt install qemu-system-arm qemu-system-misc qemu-system-ppc' : false;

test('machines of other targets start with the defaults, as check says', { skip: noTarget }, async (t) => {
  for (const [target, pack] of missing ?? []) t.diagnostic(`${target} is left out: apt install qemu-system-${pack}`);
  const root = lab(t);
  const names = (present ?? []).map(([target]) => target);
  for (const name of names) {
    root.write(`etc/qemu/${name}-qemu.cfg`, `TGTARCH=qemu-system-${name}\n`);
    appendFileSync(join(root.etcDir, 'qemu-init.reg'), `${name}=${name}\n`);
  }
  assert.equal(await root.ok('check'), names.map((name) => `${name}: good\n`).join(''));
  await root.ok('start', '--all');
  await root.ok('kill', '--all');
});

test('check says what a target does not have, as start does', async (t) => {
  const root = lab(t);
  await assertRefused(root, [
    ['SMP=289\n', /SMP asks for 289 processors; MACHINE "q35" has at most 255 without KVM/],
    ['SMP=sockets=2,cores=150\n', /SMP asks for 300 processors/],
    ['MAXSMP=256\n', /MAXSMP asks for 256 processors; MACHINE "q35" has at most 255 without KVM/],
    ['MACHINE=pc\nSMP=2,maxcpus=256\n', /SMP asks for 256 processors; MACHINE "pc" has at most 255/],
    ['CPU=max,hv_relaxed,hv-vpindex=on\n', /CPU has hv_relaxed, hv-vpindex=on, which needs KVM/],
    ['NIC1=virtio-blk-pci,net=user\n', /NIC1: "virtio-blk-pci" is not a network card/],
    ['NIC1=e1001,net=user\n', /NIC1: QEMU \S+ has no network card "e1001" \(did you mean "e1000"\?/],
    ['NIC1=usb-net,net=user\n', /NIC1: "usb-net" needs a bus "usb-bus", which MACHINE "q35" does not have/],
    ['MACHINE=virt\n', /MACHINE "virt" is unknown to QEMU/],
  ]);
  root.write('etc/qemu/web-qemu.cfg', 'KVM=off\nRAM=15T\nMACHINE=pc\nNIC1=virtio-net,net=user\n');
  const { code, stderr } = await root.init('check', 'web');
  assert.equal(code, 0, stderr);
  assert.match(stderr, /:2: Warning: RAM is 15T, and this host has \d+M/);
});

const other = findProgram('qemu-system-ppc64') && findProgram('qemu-system-s390x');
const needsOther = other === undefined ? 'needs apt install qemu-system-ppc qemu-system-misc' : false;

test('check knows the processors and devices of other targets', { skip: needsOther }, async (t) => {
  const root = lab(t);
  const ppc = 'TGTARCH=qemu-system-ppc64\n';
  const s390x = 'TGTARCH=qemu-system-s390x\n';
  await assertRefused(root, [
    [`${ppc}CPU=POWER88\n`, /CPU "POWER88" is unknown/],
    [`${s390x}VGA=std\n`, /VGA=std needs the device "VGA"/],
    [`${s390x}MACHINE=q35\n`, /MACHINE "q35" is unknown .* \(set MACHINE=s390-ccw/],
    ['TGTARCH=qemu-system-riscv64\nCPU=max\n', /CPU "max" is unknown to QEMU/],
  ]);
  root.write('etc/qemu/uefi-qemu.cfg', `${s390x}FIRMWARE=uefi\n`);
  const none = await root.init('check', join(root.etcDir, 'uefi-qemu.cfg'));
  assert.match(none.stderr, /\(remove FIRMWARE: there is none for this target\)/);
  for (const model of ['POWER8', 'power8', 'Power8']) root.write(`etc/qemu/${model}-qemu.cfg`, `${ppc}CPU=${model}\n`);
  const path = root.write(
    'etc/qemu/z-qemu.cfg',
    `${s390x}ONPANIC=pause\nWATCHDOG=reset\nNIC1=virtio-net-ccw,net=user\n`,
  );
  await root.ok(
    'check',
    ...['POWER8', 'power8', 'Power8'].map((model) => join(root.etcDir, `${model}-qemu.cfg`)),
    path,
  );
  await root.ok('start', path);
  await root.ok('kill', path);
});
