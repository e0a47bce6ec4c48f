import type { MachineConfig } from '../../config/types.ts';
import { type Chipset, pciPlace } from './chipset.ts';
import { type Device, device } from './description.ts';

/** As many ports as the controller can have, so that more devices find one later. */
const PORTS = 15;

/** Ports of the controller that devices of ours have. */
const PORT = { tablet: 1, keyboard: 2, sound: 3 } as const;

/** The controller of USB devices, and what USB=on has plugged in. */
export function usbParts({ usbInput, sound, usb }: MachineConfig, chipset: Chipset): Device[] {
  const key = usbInput ? 'USB' : sound?.card === 'usb' ? 'SOUND' : usb[0] && `USB${usb[0].index}`;
  if (key === undefined) return [];
  const controller = { id: 'usb', ...pciPlace(chipset, 'usb') };
  return [
    device(key, 'qemu-xhci', controller, { p2: PORTS, p3: PORTS }),
    ...(usbInput ? [usbDevice('USB', 'usb-tablet', 'tablet'), usbDevice('USB', 'usb-kbd', 'keyboard')] : []),
  ];
}

/** A device at its port of the controller. */
export function usbDevice(
  key: string,
  driver: string,
  id: keyof typeof PORT,
  properties: Device['properties'] = {},
): Device {
  return device(key, driver, { id, bus: 'usb.0' }, { port: String(PORT[id]), ...properties });
}
