import assert from 'node:assert/strict';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildArgs } from '../../../../src/machine/argv/build.ts';
import { hostDeviceIssues } from '../../../../src/machine/check/host-device-issues.ts';
import { hostNodes, usbHostNodes } from '../../../../src/machine/host-devices/host-nodes.ts';
import { giveBack, numberOf, whileLent } from '../../../../src/machine/host-devices/lend-nodes.ts';
import { argvRequest } from '../../../support/argv-configs.ts';
import { fakeSys } from '../../../support/host-devices.ts';
import { tempDir } from '../../../support/temp-root.ts';
import { parseGood, problemsOf } from '../../config/support.ts';

const devicesOf = (text: string, usbHosts: (string | undefined)[] = []): string[] =>
  buildArgs(argvRequest({ title: '', text: `HOTPLUG=0\n${text}`, request: { usbHosts } })).filter((arg) =>
    /^(?:qemu-xhci|usb-host|vfio-pci|pcie-root-port|pci-bridge|i6300esb)/.test(arg),
  );

const LAB = [
  { place: '1-1', id: '1d6b:0002', bus: 1, device: 2, dev: '189:1', isHub: true },
  { place: '1-1.2', id: '046d:c52b', bus: 1, device: 4, dev: '189:3' },
  { place: '2-1', id: '0781:5567', bus: 2, device: 130, dev: '189:257' },
  { place: '2-2', id: '0781:5567', bus: 2, device: 131, dev: '189:258' },
];
const PCI = [
  { address: '0000:00:1f.0', class: '0x060100', driver: 'lpc_ich' },
  { address: '0000:02:00.0', driver: 'e1000e', group: '11' },
  { address: '0000:03:00.0', driver: 'vfio-pci', group: '12' },
  { address: '0000:03:00.1', driver: 'snd_hda_intel', group: '12' },
  { address: '0000:03:01.0', class: '0x060400', driver: 'pcieport', group: '12' },
  { address: '0000:04:00.0', group: '13' },
  { address: '0000:05:00.0', driver: 'nvme' },
  { address: '0000:06:00.0', driver: 'vfio-pci', group: '14' },
  { address: '0000:06:00.1', driver: 'vfio-pci', group: '14' },
];

test('a USB device of the host is at a port of its own, and brings the controller along', () => {
  assert.deepEqual(devicesOf('USB1=046d:c52b\nUSB2=1-2,optional\nUSB3=1-3\n', ['/dev/a', undefined, '/dev/c']), [
    'qemu-xhci,p2=15,p3=15,id=usb,bus=pcie.0,addr=0x19',
    'usb-host,port=4,hostdevice=/dev/a,id=usb1,bus=usb.0',
    'usb-host,port=6,hostdevice=/dev/c,id=usb3,bus=usb.0',
  ]);
});

test('a PCI device of the host has a port of its own in the slot of the watchdog', () => {
  assert.deepEqual(devicesOf('PCI1=03:00.0\nPCI2=0000:04:00.1\n'), [
    'pcie-root-port,chassis=26,id=slot26,bus=pcie.0,addr=0x1a,multifunction=on',
    'pcie-root-port,chassis=201,id=pci1-port,bus=pcie.0,addr=0x1a.1',
    'vfio-pci,host=0000:03:00.0,id=pci1,bus=pci1-port',
    'pcie-root-port,chassis=202,id=pci2-port,bus=pcie.0,addr=0x1a.2',
    'vfio-pci,host=0000:04:00.1,id=pci2,bus=pci2-port',
  ]);
  assert.deepEqual(devicesOf('WATCHDOG=reset\nPCI1=03:00.0\nMACHINE=pc\n'), [
    'i6300esb,id=watchdog,bus=pci.0,addr=0x1a,multifunction=on',
    'vfio-pci,host=0000:03:00.0,id=pci1,bus=pci.0,addr=0x1a.1',
  ]);
  assert.match(
    devicesOf('PCI1=03:00.0\nMACHINE=pc\n')[0] ?? '',
    /^pci-bridge,chassis_nr=26,id=slot26,bus=pci\.0,addr=0x1a,multi/,
  );
  assert.deepEqual(devicesOf('WATCHDOG=reset\n'), ['i6300esb,id=watchdog,bus=pcie.0,addr=0x1a']);
  assert.deepEqual(devicesOf('PCI1=03:00.0\nMACHINE=pseries\nTGTARCH=qemu-system-ppc64\n'), [
    'vfio-pci,host=0000:03:00.0,id=pci1',
  ]);
});

test('what names no device is refused with what would', () => {
  assert.match(problemsOf('USB1=mouse\n')[0] ?? '', /USB1 must be VENDOR:PRODUCT such as 046d:c52b, or BUS-PORT/);
  assert.match(problemsOf('PCI1=0000:03:00\n')[0] ?? '', /PCI1=0000:03:00\.0/);
  assert.match(problemsOf('PCI1=eth0\n')[0] ?? '', /lspci -D/);
  const { usb, pci } = parseGood('USB1=0x046D:0xC52B\nUSB2=1-2.3.4,optional\nPCI1=0A:1F.7\n');
  assert.deepEqual(usb, [
    { index: 1, device: '046d:c52b', optional: false },
    { index: 2, device: '1-2.3.4', optional: true },
  ]);
  assert.deepEqual(pci, [{ index: 1, address: '0000:0a:1f.7' }]);
});

test('devices of the host that cannot be the guest’s are refused with the reason', (t) => {
  const sys = tempDir(t);
  fakeSys(sys, LAB, PCI);
  const issuesOf = (text: string): string[] =>
    hostDeviceIssues(parseGood(text), undefined, sys).map(({ message, hint }) => `${message} (${hint ?? ''})`);
  assert.deepEqual(issuesOf('USB1=dead:beef\nUSB2=9-9,optional\n'), [
    'USB1 "dead:beef" is not plugged in (plugged in: 046d:c52b (1-1.2), 0781:5567 (2-1), 0781:5567 (2-2); USB1=dead:beef,optional starts without it)',
  ]);
  assert.deepEqual(issuesOf('USB1=0781:5567\n'), [
    'USB1 "0781:5567" is 2 devices: 2-1, 2-2 (name one, such as USB1=2-1)',
  ]);
  assert.match(issuesOf('USB1=1-1\n')[0] ?? '', /^USB1 "1-1" is a hub/);
  assert.match(issuesOf('PCI1=09:00.0\n')[0] ?? '', /does not exist on this host/);
  assert.match(issuesOf('PCI1=00:1f.0\n')[0] ?? '', /is a bridge/);
  assert.match(issuesOf('PCI1=05:00.0\n')[0] ?? '', /no IOMMU, or it is off \(.*intel_iommu=on/);
  assert.match(issuesOf('PCI1=02:00.0\n')[0] ?? '', /has the driver "e1000e" of the host, not vfio-pci \(.*driverctl/);
  assert.match(issuesOf('PCI1=04:00.0\n')[0] ?? '', /has no driver, not vfio-pci/);
  assert.deepEqual(issuesOf('PCI1=03:00.0\n'), [
    'PCI1 "0000:03:00.0" shares IOMMU group 12 with 0000:03:00.1, which the host uses with the driver "snd_hda_intel" (both or none go to a guest: driverctl set-override 0000:03:00.1 vfio-pci)',
  ]);
  assert.deepEqual(issuesOf('PCI1=06:00.0\n'), []);
  assert.match(hostDeviceIssues(parseGood('USB1=1-2\n'), undefined, tempDir(t))[0]?.hint ?? '', /has no USB device/);
});

test('the nodes that QEMU opens are those of the devices, one for each IOMMU group', (t) => {
  const sys = tempDir(t);
  fakeSys(sys, LAB, PCI);
  const config = parseGood('USB1=046d:c52b\nUSB2=9-9,optional\nUSB3=2-2\nPCI1=06:00.0\nPCI2=06:00.1\nPCI3=09:00.0\n');
  assert.deepEqual(usbHostNodes(config, sys), ['/dev/bus/usb/001/004', undefined, '/dev/bus/usb/002/131']);
  assert.deepEqual(hostNodes(config, sys), [
    { key: 'USB1', path: '/dev/bus/usb/001/004', deviceNumber: '189:3' },
    { key: 'USB3', path: '/dev/bus/usb/002/131', deviceNumber: '189:258' },
    { key: 'PCI1', path: '/dev/vfio/14', deviceNumber: '1:5' },
  ]);
});

test('numbers of devices are those of the kernel', () => {
  assert.equal(numberOf(0xbd03n), '189:3');
  // mknod c 189 258
  assert.equal(numberOf(0x10bd02n), '189:258');
});

test('nothing is lent that is no such device, and a note that was cut in half is no reason to stop', async (t) => {
  const dir = tempDir(t);
  const files = { lent: join(dir, 'lent.json') };
  const lend = (path: string, deviceNumber: string): Promise<string> =>
    whileLent(files, { uid: 12 }, [{ key: 'USB1', path, deviceNumber }], async () => 'opened');
  await assert.rejects(lend(join(dir, 'none'), '189:3'), /is gone: its device was unplugged/);
  await assert.rejects(lend('/dev/null', '189:3'), /"\/dev\/null" is not the device 189:3/);
  mkdirSync(join(dir, 'folder'));
  await assert.rejects(lend(join(dir, 'folder'), '0:0'), /is not the device/);
  symlinkSync('/dev/null', join(dir, 'link'));
  await assert.rejects(lend(join(dir, 'link'), '1:3'), /is not the device/);
  assert.equal(await whileLent(files, undefined, [{ key: 'USB1', path: '/x', deviceNumber: '' }], async () => 1), 1);
  for (const text of [
    '[{"path":"/dev/nu',
    '{}',
    '[{"path":1}]',
    '[{"path":"/gone","deviceNumber":"1:3","uid":1,"owner":0}]',
  ]) {
    writeFileSync(files.lent, text);
    giveBack(files);
    assert.ok(!existsSync(files.lent));
  }
});
