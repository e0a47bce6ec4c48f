import type { DraftDevice, ImportDraft, ImportPlace } from '../draft.ts';
import { rateOption } from '../rate.ts';
import { parseProperties } from './conf.ts';
import { bootIndexOf, loseParts, type ProxmoxSource } from './source.ts';
import { findVolume } from './storage.ts';

/** Parts of a drive that are options of DSKx. */
const OPTIONS: Readonly<Record<string, string>> = {
  cache: 'cache',
  aio: 'aio',
  discard: 'discard',
  serial: 'serial',
  detect_zeroes: 'detect-zeroes',
  queues: 'queues',
};

/** Parts that say something of the image or of Proxmox. */
const NOT_NEEDED: Readonly<Record<string, string>> = {
  size: 'the image has its size',
  backup: 'belongs to backups by Proxmox: see BACKUP',
  replicate: 'belongs to replication by Proxmox',
  import_from: 'belongs to the creation',
};

/** One of scsi0, sata0, ide0, virtio0: a DSKx or CDRx. */
export function readDrive(source: ProxmoxSource, value: string, place: ImportPlace, key: string): void {
  const { draft, storages, files } = source;
  const words = parseProperties(value, 'file');
  const volume = words.find(([name]) => name === 'file' || name === 'volume')?.[1] ?? '';
  const isCdrom =
    words.some(([name, text]) => name === 'media' && text === 'cdrom') || volume === 'cdrom' || volume === 'none';
  if (isCdrom) {
    readCdrom(source, volume, words, place, key);
    return;
  }
  const found = findVolume(volume, storages, files);
  if ('reason' in found) {
    draft.refuse(place, found.reason);
    return;
  }
  const device = draft.addDevice('DSK', found.path);
  const bus = key.replace(/\d+$/, '');
  const controller = source.values.get('scsihw');
  if (bus === 'scsi' && controller === undefined)
    draft.change(place, device, found.path, 'SCSI disks are on a virtio controller, not on the "lsi" of Proxmox');
  else draft.carry(place, device, found.path);
  const format = words.find(([name]) => name === 'format')?.[1] ?? formatOf(found.path);
  device.options.push(['format', format], ['if', bus]);
  const index = bootIndexOf(source, key);
  if (index !== undefined) device.options.push(['bootindex', index]);
  for (const word of words) readOption(source, device, word, { ...place, source: `${key}: ${word.join('=')}` });
}

/** Volumes are raw unless their name says otherwise. */
function formatOf(path: string): string {
  return /\.(qcow2|vmdk|qcow)$/.exec(path)?.[1] ?? 'raw';
}

function readOption(
  { draft }: ProxmoxSource,
  device: DraftDevice,
  [name, value]: readonly [string, string],
  place: ImportPlace,
): void {
  if (['file', 'volume', 'format', 'media'].includes(name)) return;
  const option = OPTIONS[name];
  const add = (key: string, text: string): void => {
    device.options.push([key, text]);
    draft.carry(place, device, `${key}=${text}`);
  };
  if (option !== undefined) {
    const text =
      name === 'detect_zeroes'
        ? value === '1' || value === 'on'
          ? 'on'
          : 'off'
        : name === 'discard' && value === 'on'
          ? 'unmap'
          : value;
    add(option, text);
  } else if (name === 'ssd' && value === '1') add('ssd', 'on');
  else if (name === 'ro' && value === '1') add('readonly', 'on');
  else if (name === 'snapshot' && value === '1') add('snapshot', 'on');
  else if (name === 'iothread' && value === '1') {
    const isVirtio = device.options.some(([key, text]) => key === 'if' && text === 'virtio');
    if (isVirtio) add('iothread', 'on');
    else draft.lose(place, 'only virtio disks have separate threads');
  } else if (['ssd', 'ro', 'snapshot', 'iothread'].includes(name)) draft.carry(place, device);
  else if (name === 'mbps' || name === 'bps')
    addLimit(draft, device, Number(value) * (name === 'bps' ? 1 : MIB), place);
  else draft.lose(place, NOT_NEEDED[name] ?? (/^(?:m?bps|iops)/.test(name) ? LIMITS : 'has no counterpart'));
}

const MIB = 1024 ** 2;

const LIMITS = 'only the sum of bytes read and written is limited, by rate=';

/** Reads and writes together are `rate=`. */
function addLimit(draft: ImportDraft, device: DraftDevice, bytes: number, place: ImportPlace): void {
  const rate = rateOption(bytes);
  if (rate === undefined) {
    draft.lose(place, 'rate= must be at least 64K');
    return;
  }
  device.options.push(['rate', rate]);
  draft.carry(place, device, `rate=${rate}`);
}

function readCdrom(
  source: ProxmoxSource,
  volume: string,
  words: readonly (readonly [string, string])[],
  place: ImportPlace,
  key: string,
): void {
  const { draft, storages, files } = source;
  const isSeed = /vm-\d+-cloudinit/.test(volume);
  if (isSeed) {
    draft.lose(place, 'the seed of cloud-init is made by "qemu-init create"');
    return;
  }
  if (volume === 'none' || volume === 'cdrom') {
    const device = draft.addDevice('CDR', 'empty');
    const position = bootIndexOf(source, key);
    if (position !== undefined) device.options.push(['bootindex', position]);
    if (volume === 'none') draft.carry(place, device, 'empty');
    else draft.change(place, device, 'empty', "the host's drive is not passed on");
    return;
  }
  const found = findVolume(volume, storages, files);
  const device = draft.addDevice('CDR', 'path' in found ? found.path : 'empty');
  if ('path' in found) {
    device.options.push(['optional', 'on']);
    draft.carry(place, device, found.path);
  } else draft.change(place, device, 'empty', `the disc is left out: ${found.reason}`);
  const index = bootIndexOf(source, key);
  if (index !== undefined) device.options.push(['bootindex', index]);
  for (const [name, value] of words) {
    if (['file', 'volume', 'media', 'size'].includes(name)) continue;
    draft.lose({ ...place, source: `${key}: ${name}=${value}` }, 'has no meaning for a CD');
  }
}

/** The volume with the variables of UEFI. */
export function readFirmwareDisk(
  { draft, values, storages, files }: ProxmoxSource,
  value: string,
  place: ImportPlace,
): void {
  if (values.get('bios') !== 'ovmf') {
    draft.lose(place, 'has no effect without "bios: ovmf"');
    return;
  }
  const words = new Map(parseProperties(value, 'file'));
  const found = findVolume(words.get('file') ?? words.get('volume') ?? '', storages, files);
  const kind = draft.settings.get('FIRMWARE') ?? 'uefi';
  if ('path' in found && files.exists(found.path)) {
    const text = `${kind},vars=${found.path.replaceAll(',', ',,')}`;
    draft.settings.set('FIRMWARE', text);
    draft.carry(place, 'FIRMWARE', text);
  } else {
    draft.change(place, 'FIRMWARE', kind, 'new variables: boot entries are found again, enrolled keys are not');
  }
  const known = ['file', 'volume', 'pre-enrolled-keys'];
  loseParts(draft, value, place, known, 'the variables have the size and the keys that are in their file');
}
