import { join } from 'node:path';
import type { MachineConfig } from '../../config/types.ts';
import { readTextIfExists } from '../../system/files/files.ts';
import { findPciDevice } from '../../system/hardware/pci-devices.ts';
import { matchUsbDevices, type UsbDevice, usbDevices } from '../../system/hardware/usb-devices.ts';
import type { HostNode } from './lend-nodes.ts';

/** Nodes of the USBx of a machine, in order; undefined for one that is not there, or is not one alone. */
export function usbHostNodes({ usb }: Pick<MachineConfig, 'usb'>, sys?: string): (string | undefined)[] {
  return findUsb({ usb }, sys).map((device) => device?.node);
}

/** All nodes that QEMU opens for the devices of the host that a machine has. */
export function hostNodes(config: Pick<MachineConfig, 'usb' | 'pci'>, sys = '/sys'): HostNode[] {
  const usb = findUsb(config, sys).flatMap((device, position): HostNode[] => {
    const index = config.usb[position]?.index;
    return device ? [{ key: `USB${index}`, path: device.node, deviceNumber: device.deviceNumber }] : [];
  });
  // Devices of one group share their node.
  const groups = new Map<string, string>();
  for (const { index, address } of config.pci) {
    const group = findPciDevice(address, sys)?.group;
    if (group !== undefined && !groups.has(group)) groups.set(group, `PCI${index}`);
  }
  const pci = [...groups].map(([group, key]): HostNode => {
    const deviceNumber = readTextIfExists(join(sys, 'class/vfio', group, 'dev'))?.trim() ?? '';
    return { key, path: `/dev/vfio/${group}`, deviceNumber };
  });
  return [...usb, ...pci];
}

function findUsb({ usb }: Pick<MachineConfig, 'usb'>, sys?: string): (UsbDevice | undefined)[] {
  if (usb.length === 0) return [];
  const devices = usbDevices(sys);
  return usb.map(({ device }) => {
    const [found, ...others] = matchUsbDevices(devices, device);
    return others.length > 0 ? undefined : found;
  });
}
