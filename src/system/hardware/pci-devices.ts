import { existsSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { namesIn, readTextIfExists } from '../files/files.ts';

/** A PCI device of the host: Documentation/ABI/testing/sysfs-bus-pci. */
export interface PciDevice {
  readonly address: string;
  /** Name of the kernel's driver that has it; undefined: none. */
  readonly driver: string | undefined;
  /** Between buses; such a device is never passed through. */
  readonly isBridge: boolean;
}

/** A device, and what the IOMMU cannot tell apart from it. */
export interface PciPlace extends PciDevice {
  /** Number of its IOMMU group; undefined without an IOMMU. */
  readonly group: string | undefined;
  /** All devices of the group, with this one. */
  readonly members: readonly PciDevice[];
}

/** A device by its address; undefined when there is none. */
export function findPciDevice(address: string, sys = '/sys'): PciPlace | undefined {
  const folder = join(sys, 'bus/pci/devices', address);
  if (!existsSync(folder)) return undefined;
  const link = linkName(join(folder, 'iommu_group'));
  const members = link === undefined ? [] : namesIn(join(sys, 'kernel/iommu_groups', link, 'devices')).sort();
  return { ...readPciDevice(address, sys), group: link, members: members.map((each) => readPciDevice(each, sys)) };
}

function readPciDevice(address: string, sys: string): PciDevice {
  const folder = join(sys, 'bus/pci/devices', address);
  const deviceClass = readTextIfExists(join(folder, 'class'))?.trim() ?? '';
  return { address, driver: linkName(join(folder, 'driver')), isBridge: deviceClass.startsWith('0x06') };
}

function linkName(path: string): string | undefined {
  try {
    return basename(readlinkSync(path));
  } catch {
    return undefined;
  }
}
