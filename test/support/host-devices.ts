import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A USB device as the kernel shows it. */
export interface FakeUsb {
  readonly place: string;
  readonly id: string;
  readonly bus: number;
  readonly device: number;
  /** Major and minor number of its node. */
  readonly dev: string;
  readonly isHub?: boolean;
}

/** A PCI device as the kernel shows it. */
export interface FakePci {
  readonly address: string;
  readonly driver?: string;
  readonly group?: string;
  readonly class?: string;
}

/** Writes what the kernel shows of devices below a folder that stands for /sys. */
export function fakeSys(sys: string, usb: readonly FakeUsb[], pci: readonly FakePci[]): void {
  for (const folder of ['bus/usb/devices', 'bus/pci/devices', 'bus/pci/drivers', 'kernel/iommu_groups'])
    mkdirSync(join(sys, folder), { recursive: true });
  for (const { place, id, bus, device, dev, isHub } of usb) {
    const [vendor, product] = id.split(':');
    const folder = join(sys, 'bus/usb/devices', place);
    const files = {
      busnum: bus,
      devnum: device,
      dev,
      idVendor: vendor,
      idProduct: product,
      bDeviceClass: isHub ? '09' : '00',
    };
    for (const [name, text] of Object.entries(files)) write(join(folder, name), `${text}\n`);
    // An interface of it.
    mkdirSync(join(sys, 'bus/usb/devices', `${place}:1.0`), { recursive: true });
  }
  for (const { address, driver, group, class: deviceClass = '0x020000' } of pci) {
    const folder = join(sys, 'bus/pci/devices', address);
    write(join(folder, 'class'), `${deviceClass}\n`);
    if (driver !== undefined) symlinkSync(`../../drivers/${driver}`, join(folder, 'driver'));
    if (group === undefined) continue;
    symlinkSync(`../../../../kernel/iommu_groups/${group}`, join(folder, 'iommu_group'));
    mkdirSync(join(sys, 'kernel/iommu_groups', group, 'devices', address), { recursive: true });
    write(join(sys, 'class/vfio', group, 'dev'), '1:5\n');
  }
}

/** Puts a /dev of its own over that of the host, with the nodes that programs need. In a mount namespace of its own only. */
export function ownDev(): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', '/dev']);
  for (const [name, minor] of [
    ['null', 3],
    ['zero', 5],
    ['full', 7],
    ['random', 8],
    ['urandom', 9],
  ] as const)
    makeNode(`/dev/${name}`, `1:${minor}`, 0o666);
  for (const [name, target] of [
    ['fd', '/proc/self/fd'],
    ['stdin', 'fd/0'],
    ['stdout', 'fd/1'],
    ['stderr', 'fd/2'],
  ] as const)
    symlinkSync(target, `/dev/${name}`);
  mkdirSync('/dev/shm', { mode: 0o1777 });
}

export function makeNode(path: string, dev: string, mode: number): void {
  mkdirSync(dirname(path), { recursive: true });
  execFileSync('mknod', [path, 'c', ...dev.split(':')]);
  chmodSync(path, mode);
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
