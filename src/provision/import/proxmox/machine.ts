import { ImportDraft } from '../draft.ts';
import type { ImportFiles } from '../files.ts';
import { assumeDefaults, readBoard } from './board.ts';
import { type Conf, type ConfEntry, parseConf } from './conf.ts';
import { readDrive } from './drives.ts';
import { READERS } from './entry-readers.ts';
import { readHostPci, readUsb } from './host-devices.ts';
import { readNic } from './nics.ts';
import { readNode } from './nodes.ts';
import { type ProxmoxSource, placeOf } from './source.ts';
import { parseStorages } from './storage.ts';

/** Where a cluster has its storages, seen from the folder of a machine's file. */
const STORAGE_FILES: readonly string[] = ['../storage.cfg', '../../../storage.cfg', 'storage.cfg'];

/**
 * Reads a file of `/etc/pve/qemu-server` (qm.conf(5)): the present configuration; pending changes and snapshots are
 * only listed.
 */
export function readProxmox(text: string, path: string, files: ImportFiles): ImportDraft {
  const written = parseConf(text);
  const conf = { ...written, entries: inOrder(written.entries) };
  const draft = new ImportDraft();
  const values = new Map(conf.entries.map(({ key, value }) => [key, value]));
  const cfg = STORAGE_FILES.map((name) => files.read(`${files.dir}/${name}`)).find((each) => each !== undefined);
  const source: ProxmoxSource = { draft, values, storages: parseStorages(cfg ?? ''), files };
  // Without a name Proxmox calls it "VM 100".
  draft.name = values.get('name') ?? /(?:^|\/)(\d+)\.conf$/.exec(path)?.[1]?.replace(/^/, 'vm');
  readBoard(source, conf);
  for (const entry of conf.entries) readEntry(source, entry);
  readDescription(draft, conf);
  assumeDefaults(source);
  for (const section of conf.sections) loseSection(draft, section);
  for (const bad of conf.bad) draft.refuse({ line: bad.line, source: bad.text }, 'not a line "key: value"');
  return draft;
}

/** Files have their keys by the alphabet, scsi10 before scsi2; the guest has disks and NICs by their numbers. */
function inOrder(entries: readonly ConfEntry[]): ConfEntry[] {
  const stemOf = (key: string): string => key.replace(/\d+$/, '');
  const stems = [...new Set(entries.map(({ key }) => stemOf(key)))];
  const placeOf = (key: string): number => stems.indexOf(stemOf(key));
  const numberOf = (key: string): number => Number(/\d+$/.exec(key)?.[0] ?? '0');
  return entries.toSorted((one, other) => {
    return placeOf(one.key) - placeOf(other.key) || numberOf(one.key) - numberOf(other.key);
  });
}

function readEntry(source: ProxmoxSource, entry: ConfEntry): void {
  const place = placeOf(entry);
  const { key, value } = entry;
  const { draft } = source;
  const [, stem = '', number = ''] = /^([a-z]+)(\d+)$/.exec(key) ?? [];
  const reader = READERS[key];
  if (reader) reader(source, value, place, key);
  else if (['scsi', 'sata', 'ide', 'virtio'].includes(stem) || key === 'cdrom')
    readDrive(source, value, place, key === 'cdrom' ? 'ide2' : key);
  else if (stem === 'net') readNic(source, value, place);
  else if (stem === 'ipconfig' || /^(?:ci\w+|sshkeys|nameserver|searchdomain|cicustom)$/.test(key)) {
    draft.lose(
      { line: place.line, source: key === 'cipassword' ? 'cipassword: (secret)' : place.source },
      'see CLOUDINIT: the seed is made by "qemu-init create"',
    );
  } else if (stem === 'serial') {
    if (number === '0' && value === 'socket') draft.set(place, 'SERIAL', 'on');
    else draft.lose(place, 'a machine has one serial port, on a socket');
  } else if (stem === 'usb') readUsb(draft, value, place);
  else if (stem === 'hostpci') readHostPci(draft, value, place);
  else if (stem === 'unused') draft.lose(place, 'a volume that no disk uses; it stays where it is');
  else if (stem === 'parallel') draft.lose(place, 'there are no parallel ports');
  else if (stem === 'numa') readNode(source, value, place);
  else if (stem === 'virtiofs') draft.lose(place, 'directory mappings are known to Proxmox only: see SHAREx');
  else draft.lose(place, `"${key}" has no counterpart`);
}

function readDescription(draft: ImportDraft, { description }: Conf): void {
  const lines = description.map(({ line, text }) => ({ line, text: text.replaceAll(/\s+/g, ' ') }));
  for (const { line, text } of lines) draft.carry({ line, source: `# ${text}` }, 'DESC', text);
  const whole = lines
    .map(({ text }) => text)
    .filter((text) => text !== '')
    .join(' ');
  if (whole === '') return;
  const rest = draft.settings.get('DESC');
  draft.settings.set('DESC', rest === undefined ? whole : `${whole}; ${rest}`);
}

function loseSection(draft: ImportDraft, { name, line, entries }: Conf['sections'][number]): void {
  const reason =
    name === 'PENDING'
      ? 'changes that wait for a restart: what runs now differs from them'
      : name.startsWith('special:')
        ? 'belongs to Proxmox'
        : 'a snapshot: only Proxmox can go back to it; the images have it still';
  draft.lose({ line, source: `[${name}]` }, reason);
  for (const entry of entries) draft.lose(placeOf(entry), reason, true);
}
