import { quote } from '../../base/text.ts';
import type { PciHostConfig } from '../device-config.ts';
import type { ValueContext } from '../text/option-list.ts';

/** As lspci(8) prints it: domain, bus, device, function. */
const ADDRESS = /^(?:([0-9a-f]{4}):)?([0-9a-f]{2}):([01][0-9a-f])\.([0-7])$/i;

/** Reads a `PCIx`; undefined when it is not an address. Problems are reported. */
export function parsePciHost(text: string, index: number, { key, report }: ValueContext): PciHostConfig | undefined {
  const [whole, domain = '0000', bus, device, fn] = ADDRESS.exec(text) ?? [];
  if (whole !== undefined) return { index, address: `${domain}:${bus}:${device}.${fn}`.toLowerCase() };
  const isDevice = ADDRESS.test(`${text}.0`);
  report(`${key} must be the address of a PCI device such as 0000:03:00.0, not ${quote(text)}`, {
    hint: isDevice ? `name each function with a separate key, such as ${key}=${text}.0` : 'see: lspci -D',
  });
  return undefined;
}
