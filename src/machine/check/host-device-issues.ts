import { accessSync, constants } from 'node:fs';
import type { Problem } from '../../base/problem.ts';
import type { PciHostConfig, UsbHostConfig } from '../../config/device-config.ts';
import type { MachineConfig } from '../../config/types.ts';
import { findPciDevice, type PciDevice } from '../../system/hardware/pci-devices.ts';
import { matchUsbDevices, type UsbDevice, usbDevices } from '../../system/hardware/usb-devices.ts';
import { holderOfFile } from '../../system/process/holders.ts';
import { issueAt } from './issues.ts';

/**
 * Why devices of the host cannot be the guest's. Nothing is done to them.
 *
 * @param own pid of the machine's QEMU, if it runs.
 * @param sys folder that the kernel shows its devices in.
 */
export function hostDeviceIssues(config: MachineConfig, own: number | undefined, sys = '/sys'): Problem[] {
  const devices = config.usb.length === 0 ? [] : usbDevices(sys);
  return [
    ...config.usb.flatMap((usb) => usbIssues(config, usb, devices, own)),
    ...config.pci.flatMap((pci) => pciIssues(config, pci, sys)),
  ];
}

function usbIssues(
  config: MachineConfig,
  { index, device, optional }: UsbHostConfig,
  devices: readonly UsbDevice[],
  own: number | undefined,
): Problem[] {
  const key = `USB${index}`;
  const issue = (message: string, hint?: string): Problem[] => [issueAt(config, key, `${key} ${message}`, hint)];
  const [found, ...others] = matchUsbDevices(devices, device);
  if (found === undefined) {
    if (optional) return [];
    const there = devices.filter(({ isHub }) => !isHub).map(({ id, place }) => `${id} (${place})`);
    const hint = there.length === 0 ? 'this host has no USB device' : `plugged in: ${there.join(', ')}`;
    return issue(`"${device}" is not plugged in`, `${hint}; ${key}=${device},optional starts without it`);
  }
  if (others.length > 0) {
    const places = [found, ...others].map(({ place }) => place);
    return issue(
      `"${device}" is ${places.length} devices: ${places.join(', ')}`,
      `name one, such as ${key}=${found.place}`,
    );
  }
  if (found.isHub) return issue(`"${device}" is a hub`, 'name the devices that are plugged into it');
  const holder = holderOfFile(found.node);
  if (holder !== undefined && holder.pid !== own) {
    return issue(`"${device}" is in use by "${holder.name}" (pid ${holder.pid})`);
  }
  return mayUse(found.node) ? [] : issue(`"${device}": no permission for "${found.node}"`, udevHint(found));
}

/** Root may use everything. */
function mayUse(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return process.getuid?.() === 0;
  }
}

function udevHint({ id }: UsbDevice): string {
  const [vendor, product] = id.split(':');
  return `only root may, or a udev rule: SUBSYSTEM=="usb", ATTR{idVendor}=="${vendor}", ATTR{idProduct}=="${product}", TAG+="uaccess"`;
}

/** What vfio-pci accepts: Documentation/driver-api/vfio.rst of Linux. */
const HARMLESS_DRIVERS: readonly (string | undefined)[] = [undefined, 'vfio-pci', 'pci-stub'];

function pciIssues(config: MachineConfig, { index, address }: PciHostConfig, sys: string): Problem[] {
  const key = `PCI${index}`;
  const issue = (message: string, hint?: string): Problem =>
    issueAt(config, key, `${key} "${address}" ${message}`, hint);
  const found = findPciDevice(address, sys);
  if (found === undefined) return [issue('does not exist on this host', 'see: lspci -D')];
  if (found.isBridge) return [issue('is a bridge: only what is behind it can be passed through')];
  if (found.group === undefined) {
    const hint = 'switch VT-d or AMD-Vi on in the firmware, and boot Linux with intel_iommu=on (Intel)';
    return [issue('cannot be passed through: this host has no IOMMU, or it is off', hint)];
  }
  const bind = (each: string): string => `driverctl set-override ${each} vfio-pci`;
  if (found.driver !== 'vfio-pci') {
    const state = found.driver === undefined ? 'has no driver' : `has the driver "${found.driver}" of the host`;
    return [issue(`${state}, not vfio-pci`, `the host loses the device by: ${bind(address)}`)];
  }
  const passed = new Set(config.pci.map((each) => each.address));
  return found.members
    .filter((each) => isInTheWay(each) && !passed.has(each.address))
    .map(({ address: other, driver }) => {
      const message = `shares IOMMU group ${found.group} with ${other}, which the host uses with the driver "${driver}"`;
      return issue(message, `both or none go to a guest: ${bind(other)}`);
    });
}

function isInTheWay({ driver, isBridge }: PciDevice): boolean {
  return !isBridge && !HARMLESS_DRIVERS.includes(driver);
}
