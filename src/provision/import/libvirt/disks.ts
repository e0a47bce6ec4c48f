import { isAbsolute, join } from 'node:path';
import { IMAGE_FORMATS } from '../../../config/keys/values.ts';
import type { DraftDevice, ImportDraft } from '../draft.ts';
import type { ImportFiles } from '../files.ts';
import { rateOption } from '../rate.ts';
import { carry, change, lose, refuse } from './sweep.ts';
import type { XmlElement } from './xml.ts';

/** Where libvirt's pool "default" has its volumes. */
const DEFAULT_POOL = '/var/lib/libvirt/images';

const BUSES: readonly string[] = ['virtio', 'ide', 'sata', 'scsi', 'nvme'];

/**
 * Disks as the guest has them: on each bus by the name of the target, wherever they are in the file; buses by the first
 * disk on them.
 */
export function inGuestOrder(disks: readonly XmlElement[]): XmlElement[] {
  const buses = new Map<string | undefined, XmlElement[]>();
  for (const disk of disks) {
    const target = disk.child('target');
    const bus = target?.attribute('bus') ?? busOfName(target?.attribute('dev') ?? '');
    buses.set(bus, [...(buses.get(bus) ?? []), disk]);
  }
  return [...buses.values()].flatMap((each) => each.toSorted((one, other) => placeOf(one) - placeOf(other)));
}

/** 0 for `vda`, 26 for `vdaa`; what has no such name comes last. */
function placeOf(disk: XmlElement): number {
  const [, letters = ''] = /^(?:xvd|[a-z]d)([a-z]{1,4})$/.exec(disk.child('target')?.attribute('dev') ?? '') ?? [];
  if (letters === '') return Number.MAX_SAFE_INTEGER;
  return letters.split('').reduce((place, letter) => (place + 1) * LETTERS + letter.charCodeAt(0) - FIRST_LETTER, -1);
}

const LETTERS = 26;
const FIRST_LETTER = 97;

/** One `<disk>`: a DSKx or CDRx. */
export function readDisk(draft: ImportDraft, disk: XmlElement, files: ImportFiles): void {
  const kind = disk.attribute('device') ?? 'disk';
  disk.ignoreUsual({ snapshot: 'internal external', model: 'virtio virtio-non-transitional' });
  if (kind === 'floppy') {
    lose(disk, 'there are no floppy drives');
    return;
  }
  if (kind !== 'disk' && kind !== 'cdrom') {
    refuse(draft, disk, `a "${kind}" needs the host's device as it is`);
    return;
  }
  const source = disk.child('source');
  if (kind === 'cdrom') {
    readCdrom(draft, disk, source, files);
    return;
  }
  const file = fileOf(disk, source);
  if (file === undefined) {
    refuse(draft, disk, whyNoFile(disk, source));
    return;
  }
  if (disk.child('encryption') ?? source?.child('encryption')) {
    refuse(draft, disk, 'the key of an encrypted image is known to libvirt only: write it to a file and add key=FILE');
    return;
  }
  const device = draft.addDevice('DSK', isAbsolute(file) ? file : join(files.dir, file));
  carry(draft, disk, device, file);
  if (source) readSource(draft, source, device, file);
  readDriver(draft, disk, device);
  readTarget(draft, disk, device);
  readSwitches(draft, disk, device);
  readLimit(draft, disk.child('iotune'), device);
  readBoot(draft, disk, device);
  loseRest(disk);
}

/** The image or block device of a disk; undefined for storage of another kind. */
function fileOf(disk: XmlElement, source: XmlElement | undefined): string | undefined {
  const type = disk.attribute('type') ?? 'file';
  if (type === 'file') return source?.attribute('file');
  if (type === 'block') return source?.attribute('dev');
  if (type === 'volume' && source?.attribute('pool') === 'default') {
    const volume = source.attribute('volume');
    return volume === undefined ? undefined : join(DEFAULT_POOL, volume);
  }
  return undefined;
}

function whyNoFile(disk: XmlElement, source: XmlElement | undefined): string {
  const type = disk.attribute('type') ?? 'file';
  if (type === 'network') {
    return `storage over "${source?.attribute('protocol') ?? 'the network'}" can only be given in [custom]`;
  }
  if (type === 'volume') return `only libvirt knows where pool "${source?.attribute('pool') ?? ''}" is: name the file`;
  return source === undefined ? 'has no image' : `storage of type "${type}" cannot be given`;
}

function readSource(draft: ImportDraft, source: XmlElement, device: DraftDevice, file: string): void {
  // A number of the running domain.
  source.ignore('index');
  source.ignoreUsual({ startupPolicy: 'mandatory' });
  if (source.attributes.has('pool')) change(draft, source, device, file, 'the folder of the pool "default"');
  else carry(draft, source, device, file);
  for (const child of source.children) lose(child, REASONS[child.name] ?? 'has no counterpart');
}

/** Attributes of `<driver>` that are options of DSKx. */
const DRIVER_OPTIONS: readonly (readonly [attribute: string, option: string])[] = [
  ['cache', 'cache'],
  ['io', 'aio'],
  ['discard', 'discard'],
  ['detect_zeroes', 'detect-zeroes'],
  ['queues', 'queues'],
];

function readDriver(draft: ImportDraft, disk: XmlElement, device: DraftDevice): void {
  const driver = disk.child('driver');
  const type = driver?.attribute('type') ?? 'raw';
  // Without a format libvirt takes raw; what it calls aio is not QEMU's name for it.
  const format = type === 'aio' ? 'raw' : type;
  device.options.push(['format', format]);
  if (!driver) return;
  driver.ignore('name');
  driver.ignoreUsual({ error_policy: 'enospace', rerror_policy: 'report' });
  if (!IMAGE_FORMATS.some((each) => each === format)) {
    refuse(draft, driver, `format "${format}" is not supported`);
    return;
  }
  for (const [attribute, option] of DRIVER_OPTIONS) {
    const value = driver.attribute(attribute);
    if (value !== undefined && value !== 'default') device.options.push([option, value]);
  }
  if (driver.attribute('iothread') !== undefined) {
    device.options.push(['iothread', 'on']);
    change(draft, driver, device, 'iothread=on', 'a thread of its own');
  } else carry(draft, driver, device, format);
}

function readTarget(draft: ImportDraft, disk: XmlElement, device: DraftDevice): void {
  const target = disk.child('target');
  if (!target) return;
  const name = target.attribute('dev') ?? '';
  const bus = target.attribute('bus') ?? busOfName(name);
  target.ignoreUsual({ tray: 'closed', removable: 'off', rotation_rate: SSD });
  if (bus !== undefined && BUSES.includes(bus)) {
    device.options.push(['if', bus]);
    carry(draft, target, device, `if=${bus}`);
  } else {
    device.options.push(['if', 'virtio']);
    change(draft, target, device, 'if=virtio', `there are no disks on "${bus ?? 'that bus'}"`);
  }
  if (target.attributes.get('rotation_rate') === SSD) device.options.push(['ssd', 'on']);
}

/** Rotations a minute of what has none. */
const SSD = '1';

/** libvirt guesses the bus from the name that it expects in the guest. */
function busOfName(name: string): string | undefined {
  const buses: Readonly<Record<string, string>> = { vd: 'virtio', hd: 'ide', sd: 'scsi' };
  return buses[name.slice(0, 2)];
}

function readSwitches(draft: ImportDraft, disk: XmlElement, device: DraftDevice): void {
  for (const [name, option] of [
    ['readonly', 'readonly'],
    ['transient', 'snapshot'],
  ] as const) {
    const element = disk.child(name);
    if (!element) continue;
    element.ignoreUsual({ shareBacking: 'no' });
    device.options.push([option, 'on']);
    carry(draft, element, device, `${option}=on`);
  }
  const serial = disk.child('serial');
  const text = serial?.ownText();
  if (serial && text !== undefined) {
    device.options.push(['serial', text]);
    carry(draft, serial, device, `serial=${text}`);
  }
}

/** `<iotune>`: of all limits, QEMU's sum of what is read and written is `rate=`. */
function readLimit(draft: ImportDraft, iotune: XmlElement | undefined, device: DraftDevice): void {
  for (const limit of iotune?.children ?? []) {
    const number = Number(limit.ownText() ?? '0');
    const rate = limit.name === 'total_bytes_sec' ? rateOption(number) : undefined;
    if (number === 0) carry(draft, limit, device);
    else if (limit.name !== 'total_bytes_sec')
      lose(limit, 'only the sum of bytes read and written is limited, by rate=');
    else if (rate === undefined) lose(limit, 'rate= must be at least 64K');
    else {
      device.options.push(['rate', rate]);
      carry(draft, limit, device, `rate=${rate}`);
    }
  }
}

/** `<boot order=>` of a device; QEMU counts from 0. */
export function readBoot(draft: ImportDraft, element: XmlElement, device: DraftDevice): void {
  const boot = element.child('boot');
  const order = boot?.attribute('order');
  if (!boot || order === undefined || !/^\d+$/.test(order)) return;
  const index = String(Math.max(0, Number(order) - 1));
  device.options.push(['bootindex', index]);
  carry(draft, boot, device, `bootindex=${index}`);
}

function readCdrom(draft: ImportDraft, disk: XmlElement, source: XmlElement | undefined, files: ImportFiles): void {
  const file = fileOf(disk, source);
  const isOptional = source?.attribute('startupPolicy') === 'optional';
  const device = draft.addDevice('CDR', file === undefined ? 'empty' : isAbsolute(file) ? file : join(files.dir, file));
  if (file === undefined && source && source.attributes.size > 0) {
    change(draft, disk, device, 'empty', `the disc is left out: ${whyNoFile(disk, source)}`);
  } else carry(draft, disk, device, file ?? 'empty');
  if (isOptional && file !== undefined) device.options.push(['optional', 'on']);
  if (source && file !== undefined) readSource(draft, source, device, file);
  const target = disk.child('target');
  target?.ignore('dev');
  target?.ignoreUsual({ tray: 'closed', removable: 'off' });
  if (target) {
    const bus = target.attribute('bus') ?? 'ide';
    if (bus === 'sata' || bus === 'ide') carry(draft, target, device);
    else change(draft, target, device, undefined, `CD drives are on SATA or IDE, not on "${bus}"`);
  }
  const driver = disk.child('driver');
  driver?.ignore('name', 'type', 'cache', 'io', 'error_policy', 'discard');
  if (driver) carry(draft, driver, device);
  const readonly = disk.child('readonly');
  if (readonly) carry(draft, readonly, device);
  readBoot(draft, disk, device);
  loseRest(disk);
}

/** Why parts of a disk are lost. */
const REASONS: Readonly<Record<string, string>> = {
  address: 'PCI places and drive numbers are given by qemu-init; names in the guest may change',
  alias: 'a name of the running domain',
  backingStore: 'the header of the image says it',
  blockio: 'block sizes are those of QEMU',
  geometry: 'the geometry is that of QEMU',
  shareable: 'images are never shared by machines',
  wwn: 'the world wide name is not set',
  vendor: 'the vendor is QEMU',
  product: 'the product is QEMU',
  mirror: 'a copy that was running',
  seclabel: 'labels are not set',
  reservations: 'persistent reservations are not passed on',
  slices: 'the image is used as a whole',
  metadata_cache: 'the cache of the image is that of QEMU',
};

function loseRest(disk: XmlElement): void {
  for (const child of disk.children) {
    const reason = REASONS[child.name];
    if (reason !== undefined) lose(child, reason);
  }
}
