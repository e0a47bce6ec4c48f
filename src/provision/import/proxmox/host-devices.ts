import type { ImportDraft, ImportPlace } from '../draft.ts';
import { parseProperties } from './conf.ts';
import { loseParts } from './source.ts';

export function readUsb(draft: ImportDraft, value: string, place: ImportPlace): void {
  const words = new Map(parseProperties(value, 'host'));
  const host = words.get('host');
  if (words.has('mapping')) draft.refuse(place, 'mappings of devices are known to Proxmox only');
  else if (host === undefined || host === 'spice') draft.lose(place, 'USB devices of viewers are not redirected');
  else draft.carry(place, draft.addDevice('USB', host), host);
  loseParts(draft, value, place, ['host', 'mapping'], 'the controller is USB 3');
}

/** Without a function Proxmox passes on all that the device has, which are known to its host alone. */
function addPci(draft: ImportDraft, address: string, place: ImportPlace): void {
  if (!/:[0-9a-f]{2}$/i.test(address)) draft.carry(place, draft.addDevice('PCI', address), address);
  else {
    const first = `${address}.0`;
    draft.change(place, draft.addDevice('PCI', first), first, 'its first function: each other one needs a PCIx too');
  }
}

export function readHostPci(draft: ImportDraft, value: string, place: ImportPlace): void {
  const words = new Map(parseProperties(value, 'host'));
  const host = words.get('host');
  if (words.has('mapping') || host === undefined) draft.refuse(place, 'mappings of devices are known to Proxmox only');
  else {
    const addresses = host.split(';').map((each) => (/^[0-9a-f]{4}:/i.test(each) ? each : `0000:${each}`));
    for (const each of addresses) addPci(draft, each, place);
    for (const [name, text] of words) {
      if (name !== 'host')
        draft.lose({ line: place.line, source: `${keyOf(place)}: ${name}=${text}` }, 'has no counterpart');
    }
  }
}

/** `hostpci0` of the line that has it. */
function keyOf({ source }: ImportPlace): string {
  return source.split(':', 1)[0] ?? '';
}
