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

export function readHostPci(draft: ImportDraft, value: string, place: ImportPlace): void {
  const words = new Map(parseProperties(value, 'host'));
  const host = words.get('host');
  if (words.has('mapping') || host === undefined) draft.refuse(place, 'mappings of devices are known to Proxmox only');
  else {
    const addresses = host.split(';').map((each) => (/^[0-9a-f]{4}:/i.test(each) ? each : `0000:${each}`));
    for (const each of addresses) draft.carry(place, draft.addDevice('PCI', each), each);
    for (const [name, text] of words) {
      if (name !== 'host') draft.lose({ line: place.line, source: `hostpci: ${name}=${text}` }, 'has no counterpart');
    }
  }
}
