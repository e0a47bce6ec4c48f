import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fakeSys, makeNode, ownDev } from '../support/host-devices.ts';
import { killBefore } from '../support/kill-before.ts';
import { type Lab, lab } from '../support/lab.ts';
import { enterOwnMounts } from '../support/own-mounts.ts';
import type { Cleanup } from '../support/temp-root.ts';

const isRoot = process.getuid?.() === 0;
if (isRoot) await enterOwnMounts();
const skip = !isRoot && 'only root may make nodes of devices';

const NOBODY = 65_534;
const RIGHTS = 'RUNAS=nobody\nNETIF=managed\nSANDBOX=on\n';

/** A node that QEMU can open, and one that no driver is behind. Neither is a USB device. */
const OPEN = { place: '1-2', id: '046d:c52b', bus: 1, device: 4, dev: '1:3' };
const DEAD = { place: '1-3.1', id: '0781:5567', bus: 1, device: 5, dev: '189:4' };
const node = ({ bus, device }: typeof OPEN): string => `/dev/bus/usb/00${bus}/00${device}`;

if (isRoot) {
  for (const dir of ['bus', 'kernel', 'class']) execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', `/sys/${dir}`]);
  fakeSys(
    '/sys',
    [OPEN, DEAD],
    [
      { address: '0000:03:00.0', driver: 'vfio-pci', group: '12' },
      { address: '0000:03:00.1', driver: 'snd_hda_intel', group: '12' },
      { address: '0000:04:00.0', driver: 'vfio-pci', group: '13' },
    ],
  );
  ownDev();
  for (const each of [OPEN, DEAD]) makeNode(node(each), each.dev, 0o600);
  makeNode('/dev/vfio/vfio', '10:196', 0o666);
  makeNode('/dev/vfio/13', '1:5', 0o600);
}

function hostLab(t: Cleanup): Lab {
  const host = lab(t);
  chmodSync(host.dir, 0o711);
  return host;
}

function add(host: Lab, name: string, lines: string): string {
  const cfg = host.add(name, `${RIGHTS}${lines}`);
  chownSync(join(host.etcDir, `${name}.img`), NOBODY, NOBODY);
  return cfg;
}

function assertGivenBack(host: Lab, name: string): void {
  for (const path of [node(OPEN), node(DEAD), '/dev/vfio/13']) assert.equal(statSync(path).uid, 0, path);
  assert.ok(!existsSync(host.file(name, 'lent.json')));
}

test('a USB device is lent to the user of QEMU while QEMU opens it, at the start and later', { skip }, async (t) => {
  const host = hostLab(t);
  const cfg = add(host, 'web', 'USB1=0781:5567\n');
  // No driver is behind it: QEMU has found that out, and not that it has no right.
  const refused = await host.init('start', 'web');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /failed to open \/dev\/bus\/usb\/001\/005: No such device or address/);
  assertGivenBack(host, 'web');

  writeFileSync(cfg, readFileSync(cfg, 'utf8').replace('USB1=0781:5567', 'USB=on'));
  await host.ok('start', 'web');
  const late = await host.init('attach', 'web', 'USB1=1-3.1');
  assert.equal(late.code, 1);
  assert.match(
    late.stderr,
    /Cannot plug in USB1: .*failed to open \/dev\/bus\/usb\/001\/005: No such device or address/,
  );
  assertGivenBack(host, 'web');
  const missing = await host.init('attach', 'web', 'USB1=dead:beef');
  assert.equal(missing.code, 6);
  assert.match(missing.stderr, /USB1 "dead:beef" is not plugged in/);
  assert.match(missing.stderr, /plugged in: 046d:c52b \(1-2\), 0781:5567 \(1-3\.1\)/);
  await host.ok('attach', 'web', 'USB1=dead:beef,optional');
  await host.ok('stop', '--force', 'web');
});

test('a node that is not that of the device is not touched', { skip }, async (t) => {
  const host = hostLab(t);
  add(host, 'web', 'USB1=1-2\n');
  execFileSync('rm', [node(OPEN)]);
  makeNode(node(OPEN), '1:7', 0o600);
  t.after(() => {
    execFileSync('rm', [node(OPEN)]);
    makeNode(node(OPEN), OPEN.dev, 0o600);
  });
  const { code, stderr } = await host.init('start', 'web');
  assert.equal(code, 4);
  assert.match(stderr, /"\/dev\/bus\/usb\/001\/004" is not the device 1:3/);
  assertGivenBack(host, 'web');
});

test('a node that a killed command has lent goes back with the next command', { skip }, async (t) => {
  const host = hostLab(t);
  add(host, 'web', 'USB=on\n');
  await host.ok('start', 'web');
  await killBefore(host, 'send {"execute":"device_add"', ['attach', 'web', 'USB1=1-2']);
  assert.equal(statSync(node(OPEN)).uid, NOBODY);
  const lent = readFileSync(host.file('web', 'lent.json'));
  await host.ok('status', 'web');
  assertGivenBack(host, 'web');
  // And one that was given to somebody else since stays there.
  writeFileSync(host.file('web', 'lent.json'), lent);
  chownSync(node(OPEN), 12, -1);
  await host.ok('stop', '--force', 'web');
  assert.equal(statSync(node(OPEN)).uid, 12);
  chownSync(node(OPEN), 0, -1);
  assertGivenBack(host, 'web');
});

test('a PCI device needs vfio-pci, and all of its IOMMU group; its node is lent as well', { skip }, async (t) => {
  const host = hostLab(t);
  const cfg = add(host, 'web', 'PCI1=03:00.0\n');
  const shared = await host.init('start', 'web');
  assert.equal(shared.code, 6);
  assert.match(shared.stderr, /PCI1 "0000:03:00\.0" shares IOMMU group 12 with 0000:03:00\.1.*"snd_hda_intel"/);
  assert.match(shared.stderr, /driverctl set-override 0000:03:00\.1 vfio-pci/);
  writeFileSync(cfg, readFileSync(cfg, 'utf8').replace('03:00.0', '04:00.0'));
  assert.equal((await host.init('check', 'web')).code, 0);
  const { code, stderr } = await host.init('start', 'web');
  assert.equal(code, 1);
  assert.match(stderr, /-device vfio-pci,host=0000:04:00\.0/);
  assertGivenBack(host, 'web');
});
