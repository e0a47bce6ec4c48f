import type { DraftDevice } from '../draft.ts';
import { type Backend, backendOf, driveBackend, isPlainFile } from './disk-backends.ts';
import { type CommandOption, others, property } from './options.ts';
import type { CommandSource } from './source.ts';

/** Devices that are disks or CD drives, and the bus that they are on. */
const DRIVERS: Readonly<Record<string, { readonly bus: string; readonly isCdrom?: true }>> = {
  'virtio-blk-pci': { bus: 'virtio' },
  'virtio-blk-pci-non-transitional': { bus: 'virtio' },
  'virtio-blk-pci-transitional': { bus: 'virtio' },
  'virtio-blk-device': { bus: 'virtio' },
  'ide-hd': { bus: 'ide' },
  'scsi-hd': { bus: 'scsi' },
  nvme: { bus: 'nvme' },
  'ide-cd': { bus: 'ide', isCdrom: true },
  'scsi-cd': { bus: 'scsi', isCdrom: true },
};

/** Disks and CD drives, in the order of the command line. */
export function readDisks(source: CommandSource): void {
  const all = source.has('snapshot');
  for (const option of source.options) {
    if (option.isUsed) continue;
    if (option.name === 'device') readDiskDevice(source, option);
    else if (option.name === 'drive') readPlainDrive(source, option);
    else if (/^(?:hd[a-d]|cdrom)$/.test(option.name)) readShortDrive(source, option);
  }
  for (const option of source.unused('snapshot')) {
    for (const device of source.draft.devices.DSK) {
      if (all && !device.options.some(([name]) => name === 'snapshot')) device.options.push(['snapshot', 'on']);
    }
    source.draft.carry(source.use(option), 'DSKx', 'snapshot=on');
  }
}

/** Parts of a device that are places, which qemu-init gives itself. */
const PLACES = [
  'driver',
  'drive',
  'id',
  'bus',
  'addr',
  'unit',
  'scsi-id',
  'lun',
  'channel',
  'multifunction',
  'write-cache',
  'vectors',
  'device_id',
];

/** What the cache of an image is called when the guest does not know of it (qemu-system(1), "-drive", cache). */
const WITHOUT_WRITE_CACHE: Readonly<Record<string, string>> = { none: 'directsync', writeback: 'writethrough' };

/** Id of the drive that qemu-init makes from CLOUDINIT. */
const SEED = 'seed';

function readDiskDevice(source: CommandSource, option: CommandOption): void {
  const { draft } = source;
  const driver = DRIVERS[property(option, 'driver') ?? ''];
  if (!driver) return;
  const name = property(option, 'drive');
  const backend = backendOf(source, name);
  if (name === SEED && backend) {
    for (const each of [option, backend.option])
      draft.lose(source.use(each), 'data for cloud-init is made from CLOUDINIT');
    return;
  }
  // A drive that is not understood is not carried over by half.
  if (name !== undefined && !backend) return;
  if (backend && (backend.isUnknown || !isPlainFile(backend.file))) return;
  const isCdrom = driver.isCdrom === true || (backend && property(backend.option, 'media') === 'cdrom') === true;
  const device = isCdrom ? addCdrom(source, backend) : addDisk(source, backend, busOf(source, option, driver.bus));
  if (!device) return;
  source.use(option);
  if (backend) for (const each of [backend.option, ...backend.below]) draft.carry(source.use(each), device);
  if (backend) source.loseParts(backend.option, backend.lost, 'has no counterpart');
  if (!isCdrom && property(option, 'write-cache') === 'off') withoutWriteCache(device);
  if (isCdrom && driver.bus === 'scsi') draft.change(option, device, undefined, 'CD drives are on SATA or IDE');
  else draft.carry(option, device);
  for (const [key, value] of others(option, ...PLACES))
    readDeviceProperty(source, option, device, [key, value], isCdrom);
}

function withoutWriteCache({ options }: DraftDevice): void {
  const at = options.findIndex(([name]) => name === 'cache');
  const cache = WITHOUT_WRITE_CACHE[options[at]?.[1] ?? 'writeback'];
  if (cache === undefined) return;
  if (at >= 0) options.splice(at, 1);
  options.push(['cache', cache]);
}

function readDeviceProperty(
  source: CommandSource,
  option: CommandOption,
  device: DraftDevice,
  [name, value]: readonly [string, string],
  isCdrom: boolean,
): void {
  option.known.add(name);
  if (name === 'bootindex') device.options.push(['bootindex', value]);
  // A name that qemu-init gives by itself.
  else if (name === 'serial' && /^dsk\d+$/.test(value)) return;
  else if (!isCdrom && name === 'serial') device.options.push(['serial', value]);
  else if (!isCdrom && (name === 'num-queues' || name === 'num_queues')) device.options.push(['queues', value]);
  else if (!isCdrom && name === 'rotation_rate' && value === '1') device.options.push(['ssd', 'on']);
  else if (!isCdrom && name === 'iothread') {
    const thread = source.byId(value, 'object');
    device.options.push(['iothread', 'on']);
    if (thread) source.draft.carry(source.use(thread), device, 'iothread=on');
  } else source.loseParts(option, [[name, value]], 'has no counterpart');
}

/** On q35 the controller of the board is SATA, and disks there are ide-hd as well. */
function busOf(source: CommandSource, option: CommandOption, bus: string): string {
  if (bus !== 'ide') return bus;
  const board = source.draft.settings.get('MACHINE') ?? 'pc';
  const on = property(option, 'bus') ?? '';
  const controller = source.byId(on.replace(/\.\d+$/, ''), 'device');
  const isAhci = controller !== undefined && /ahci/.test(property(controller, 'driver') ?? '');
  return isAhci || (/q35/.test(board) && !controller) ? 'sata' : 'ide';
}

function absolute(source: CommandSource, file: string): string {
  return source.path(file.replace(/^file:/, ''));
}

function addDisk(source: CommandSource, backend: Backend | undefined, bus: string): DraftDevice | undefined {
  if (backend?.file === undefined) return undefined;
  return source.draft.addDevice('DSK', absolute(source, backend.file), [...backend.options, ['if', bus]]);
}

function addCdrom(source: CommandSource, backend: Backend | undefined): DraftDevice {
  const file = backend?.file;
  return source.draft.addDevice('CDR', file === undefined || file === '' ? 'empty' : absolute(source, file));
}

/** Where QEMU puts a drive that names no bus: what the board has. */
function plainBus(board: string): string {
  if (/q35/.test(board)) return 'sata';
  if (board.startsWith('pseries')) return 'scsi';
  return /^(?:virt|s390|microvm)/.test(board) ? 'virtio' : 'ide';
}

/** `-drive if=virtio,file=…`: QEMU makes the device. Without `if` it is on the first bus of the board. */
function readPlainDrive(source: CommandSource, option: CommandOption): void {
  const { draft } = source;
  const kind = property(option, 'if') ?? plainBus(draft.settings.get('MACHINE') ?? 'pc');
  const backend = driveBackend(option);
  const isKnown = ['virtio', 'ide', 'sata', 'scsi'].includes(kind);
  if (!isKnown || backend.isUnknown || !isPlainFile(backend.file)) return;
  // Without if=none, which QEMU once did without.
  const id = property(option, 'id');
  if (id !== undefined && source.options.some((device) => isDriveOf(device, id))) return;
  const isCdrom = property(option, 'media') === 'cdrom';
  const board = draft.settings.get('MACHINE') ?? 'pc';
  const bus = kind === 'ide' && /q35/.test(board) ? 'sata' : kind;
  const device = isCdrom ? addCdrom(source, backend) : addDisk(source, backend, bus);
  if (!device) return;
  draft.carry(source.use(option), device);
  source.loseParts(option, backend.lost, 'has no counterpart');
}

/** `-hda FILE`, `-cdrom FILE`. */
function readShortDrive(source: CommandSource, option: CommandOption): void {
  const { draft } = source;
  const file = option.value;
  if (file === undefined || !isPlainFile(file)) return;
  if (option.name === 'cdrom') {
    draft.carry(source.use(option), draft.addDevice('CDR', absolute(source, file)), file);
    return;
  }
  const board = draft.settings.get('MACHINE') ?? 'pc';
  // The format is found out at the first start.
  const device = draft.addDevice('DSK', absolute(source, file), [['if', plainBus(board)]]);
  draft.carry(source.use(option), device, file);
}

function isDriveOf(option: CommandOption, id: string): boolean {
  return option.name === 'device' && option.properties.some(([name, value]) => name === 'drive' && value === id);
}
