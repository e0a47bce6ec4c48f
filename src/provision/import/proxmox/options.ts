import { splitWords } from '../../../config/text/shell-words.ts';
import type { ImportPlace } from '../draft.ts';
import { parseProperties } from './conf.ts';
import { lettersOf, type ProxmoxSource } from './source.ts';

export function readSmbios({ draft }: ProxmoxSource, value: string, place: ImportPlace): void {
  const words = parseProperties(value, 'uuid');
  const isEncoded = words.some(([name, text]) => name === 'base64' && text === '1');
  const device = draft.addDevice('SMBIOS', 'system');
  for (const [name, text] of words) {
    if (name === 'uuid') draft.settings.set('UUID', text.toLowerCase());
    else if (name !== 'base64') device.options.push([name, isEncoded ? Buffer.from(text, 'base64').toString() : text]);
  }
  if (device.options.length === 0) draft.devices.SMBIOS.pop();
  draft.carry(place, device.options.length > 0 ? device : 'UUID', value);
}

export function readStartup({ draft }: ProxmoxSource, value: string, place: ImportPlace): void {
  for (const [name, text] of parseProperties(value, 'order')) {
    const at = { line: place.line, source: `startup: ${name}=${text}` };
    if (name === 'order') draft.set(at, 'BOOTORDER', text);
    // The delay is after this machine there, and before it here.
    else if (name === 'up') draft.setChanged(at, 'BOOTDELAY', text, 'before the start of this machine, not after it');
    else if (name === 'down') draft.set(at, 'STOPDELAY', text);
    else draft.lose(at, 'has no counterpart');
  }
}

/** `order=scsi0;net0`, or letters: a floppy, c disk, d CD-ROM, n network. */
export function readBoot({ draft, values }: ProxmoxSource, value: string, place: ImportPlace): void {
  const order = parseProperties(value, 'legacy').find(([name]) => name === 'order')?.[1];
  if (order !== undefined) {
    // Each drive and NIC gets its place as bootindex=.
    if (order === '') draft.lose(place, 'nothing is to be booted: QEMU tries its own order');
    else draft.carry(place, 'bootindex', order);
    return;
  }
  const letters = lettersOf(value);
  // With bootdisk, single drives and NICs have their places.
  if (values.has(values.get('bootdisk') ?? '')) {
    draft.carry(place, 'bootindex', letters);
    return;
  }
  const names: Readonly<Record<string, string>> = { c: 'disk', d: 'cdrom', n: 'network' };
  const devices = letters.split('').flatMap((letter) => names[letter] ?? []);
  if (devices.length > 0) draft.set(place, 'BOOT', devices.join(','));
  else draft.lose(place, 'names no disk, CD-ROM or network');
}

export function readVga({ draft }: ProxmoxSource, value: string, place: ImportPlace): void {
  const [first, ...others] = parseProperties(value, 'type');
  const type = first?.[0] === 'type' ? first[1] : 'std';
  const cards: Readonly<Record<string, string>> = {
    std: 'std',
    cirrus: 'cirrus',
    vmware: 'vmware',
    virtio: 'virtio',
    none: 'none',
  };
  const card = cards[type];
  if (card !== undefined) draft.set(place, 'VGA', card);
  else if (type.startsWith('qxl')) {
    draft.settings.set('SPICE', 'on');
    if (type === 'qxl') draft.set(place, 'VGA', 'qxl');
    else draft.setChanged(place, 'VGA', 'qxl', 'one screen');
  } else if (type.startsWith('serial')) {
    draft.settings.set('VNC', 'off');
    draft.setChanged(place, 'VGA', 'none', 'the serial console is the screen: qemu-init console');
  } else draft.setChanged(place, 'VGA', 'virtio', `there is no card "${type}"`);
  for (const [name, text] of others)
    draft.lose({ line: place.line, source: `vga: ${name}=${text}` }, 'has no counterpart');
}

export function readArguments({ draft }: ProxmoxSource, value: string, place: ImportPlace): void {
  const words = splitOr(value);
  if (words === undefined) {
    draft.refuse(place, 'the quotes do not match');
    return;
  }
  const at = words.lastIndexOf('-cpu');
  const cpu = words[at + 1];
  if (at < 0 || cpu === undefined) {
    draft.addArguments(place, words);
    return;
  }
  const source = `args: -cpu ${cpu}`;
  draft.setChanged({ line: place.line, source }, 'CPU', cpu, 'in place of "cpu:", as QEMU takes the last one');
  draft.addArguments(place, words.toSpliced(at, 2));
}

/** Whether `args:` has another processor than `cpu:`. */
export function hasOwnProcessor(args: string | undefined): boolean {
  return (splitOr(args ?? '') ?? []).slice(0, -1).includes('-cpu');
}

function splitOr(text: string): string[] | undefined {
  try {
    return splitWords(text);
  } catch {
    return undefined;
  }
}
