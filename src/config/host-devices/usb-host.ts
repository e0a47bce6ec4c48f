import { quote } from '../../base/text.ts';
import type { UsbHostConfig } from '../device-config.ts';
import { keySpec } from '../keys.ts';
import { parseOptionList, renderOptionList, type ValueContext } from '../text/option-list.ts';

/** Four hexadecimal digits each, as lsusb(8) prints them. */
const ID = /^([0-9a-f]{4}):([0-9a-f]{4})$/i;
/** A place such as `1-2.3`, as the kernel names it in /sys/bus/usb/devices: bus, then ports of hubs. */
const PLACE = /^[1-9]\d{0,2}-[1-9]\d{0,2}(?:\.[1-9]\d{0,2}){0,6}$/;

/** Reads a `USBx`; undefined when it names no device. Problems are reported. */
export function parseUsbHost(text: string, index: number, context: ValueContext): UsbHostConfig | undefined {
  const list = parseOptionList(text, keySpec('USBHOST').options ?? [], 'word', context);
  const { key, report } = context;
  const device = list.head.replace(/^0x([0-9a-f]{4}):0x([0-9a-f]{4})$/i, '$1:$2').toLowerCase();
  if (!ID.test(device) && !PLACE.test(device)) {
    report(`${key} must be VENDOR:PRODUCT such as 046d:c52b, or BUS-PORT such as 1-2.3, not ${quote(list.head)}`, {
      hint: 'see: lsusb, and ls /sys/bus/usb/devices',
    });
    return undefined;
  }
  return { index, device, optional: list.get('optional') === 'on' };
}

/** Writes it as {@link parseUsbHost} reads it. */
export function renderUsbHost({ device, optional }: UsbHostConfig): string {
  return renderOptionList(device, [['optional', optional ? 'on' : undefined]]);
}
