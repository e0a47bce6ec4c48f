import type { MachineConfig } from '../../../config/types.ts';
import { type Device, device } from '../description.ts';

/** First port of the controller that devices of the host have: input devices and sound are before them. */
const FIRST_PORT = 4;

/** USB devices of the host that are there, by the nodes that they are used through. */
export function usbHostParts({ usb }: Pick<MachineConfig, 'usb'>, nodes: readonly (string | undefined)[]): Device[] {
  return usb.flatMap(({ index }, position): Device[] => {
    const node = nodes[position];
    if (node === undefined) return [];
    const key = `USB${index}`;
    const place = { id: key.toLowerCase(), bus: 'usb.0' };
    return [device(key, 'usb-host', place, { port: String(FIRST_PORT - 1 + index), hostdevice: node })];
  });
}
