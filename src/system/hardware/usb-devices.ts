import { join } from 'node:path';
import { namesIn, readTextIfExists } from '../files/files.ts';

/** A USB device of the host: Documentation/ABI/stable/sysfs-bus-usb. */
export interface UsbDevice {
  /** `1-2.3`: its bus, and the ports on the way to it. */
  readonly place: string;
  /** `046d:c52b`. */
  readonly id: string;
  /** What it calls itself, as anybody can have made it. */
  readonly label: string;
  readonly isHub: boolean;
  /** Path of the character device that it is used through. */
  readonly node: string;
  /** `189:3`: what that has to be. */
  readonly deviceNumber: string;
}

/** All of them; none on a host without USB. */
export function usbDevices(sys = '/sys'): UsbDevice[] {
  const folder = join(sys, 'bus/usb/devices');
  return namesIn(folder)
    .filter((name) => /^\d+-\d[\d.]*$/.test(name))
    .sort()
    .flatMap((place) => readUsbDevice(join(folder, place), place) ?? []);
}

function readUsbDevice(folder: string, place: string): UsbDevice | undefined {
  const read = (name: string): string => readTextIfExists(join(folder, name))?.trim() ?? '';
  const [bus, device] = [read('busnum'), read('devnum')].map(Number);
  // It is being unplugged.
  if (!bus || !device) return undefined;
  return {
    place,
    id: `${read('idVendor')}:${read('idProduct')}`.toLowerCase(),
    label: [read('manufacturer'), read('product')].filter((text) => text !== '').join(' '),
    isHub: read('bDeviceClass') === '09',
    node: `/dev/bus/usb/${threeDigits(bus)}/${threeDigits(device)}`,
    deviceNumber: read('dev'),
  };
}

function threeDigits(number: number): string {
  return String(number).padStart(3, '0');
}

/** Those that a `USBx` means: by what they are, or by where they are. Pure. */
export function matchUsbDevices(devices: readonly UsbDevice[], wanted: string): UsbDevice[] {
  return devices.filter(({ place, id }) => (wanted.includes(':') ? id : place) === wanted);
}
