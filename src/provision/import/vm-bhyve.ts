import { join } from 'node:path';
import { parseSize, renderSize } from '../../config/text/values.ts';
import { ImportDraft, type ImportPlace } from './draft.ts';
import type { ImportFiles } from './files.ts';

/**
 * Reads a configuration of vm-bhyve: lines `key="value"` as of rc.conf(5), which are read as text. The guest's disks
 * are in the folder of the file.
 */
export function readVmBhyve(text: string, path: string, files: ImportFiles): ImportDraft {
  const draft = new ImportDraft();
  draft.name = path
    .split('/')
    .at(-1)
    ?.replace(/\.conf$/, '');
  const values = new Map<string, { value: string; place: ImportPlace }>();
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/\r$/, '').trim();
    if (line === '' || line.startsWith('#')) continue;
    const place = { line: index + 1, source: line };
    const [, key, doubled, single, bare] =
      /^([A-Za-z_]\w*)=(?:"([^"`$]*)"|'([^']*)'|([^\s"'`$;&|<>()]*))\s*(?:#.*)?$/.exec(line) ?? [];
    if (key === undefined) draft.refuse(place, 'not a plain assignment; nothing is executed');
    else values.set(key, { value: doubled ?? single ?? bare ?? '', place });
  }
  const stated = [...values].filter(([, { value }]) => value !== '');
  const source: Source = { draft, files, values: new Map(stated.map(([key, { value }]) => [key, value])) };
  for (const [key, { value, place }] of inOrder(values)) {
    // vm-bhyve takes its default then.
    if (value === '') draft.carry(place, '');
    else readKey(source, key, value, place);
  }
  assumeDefaults(source);
  return draft;
}

/** Disks and NICs by their numbers, wherever they are in the file. */
function inOrder<Value>(values: ReadonlyMap<string, Value>): (readonly [key: string, value: Value])[] {
  const numberOf = (key: string): number => Number(/^(?:disk|network)(\d+)_/.exec(key)?.[1] ?? '-1');
  return [...values].sort(([one], [other]) => numberOf(one) - numberOf(other));
}

interface Source {
  readonly draft: ImportDraft;
  readonly files: ImportFiles;
  readonly values: ReadonlyMap<string, string>;
}

const isYes = (value: string): boolean => /^(?:yes|true|on|1)$/i.test(value);

function readKey(source: Source, key: string, value: string, place: ImportPlace): void {
  const { draft, values } = source;
  const [, stem = '', number = '', part = ''] = /^(disk|network)(\d+)_(\w+)$/.exec(key) ?? [];
  if (stem === 'disk') {
    readDiskKey(source, number, part, value, place);
    return;
  }
  if (stem === 'network') {
    readNetworkKey(source, number, part, value, place);
    return;
  }
  switch (key) {
    case 'loader':
      if (value.startsWith('uefi')) {
        draft.set(place, 'FIRMWARE', value.endsWith('csm') ? 'bios' : 'uefi');
        return;
      }
      draft.setChanged(place, 'FIRMWARE', 'bios', `the disk is booted by the firmware, not by "${value}"`);
      return;
    case 'uefi':
      // What older versions had instead of the loader.
      if (!/^(?:off|false|no|0)$/i.test(value)) draft.set(place, 'FIRMWARE', value.includes('csm') ? 'bios' : 'uefi');
      else draft.carry(place, '');
      return;
    case 'cpu':
      draft.set(place, 'SMP', smpOf(values));
      return;
    case 'cpu_sockets':
    case 'cpu_cores':
    case 'cpu_threads':
      draft.carry(place, 'SMP', smpOf(values));
      return;
    case 'memory': {
      const bytes = parseSize(value);
      if (bytes === undefined) draft.refuse(place, 'not an amount of memory');
      else draft.set(place, 'RAM', renderSize(bytes));
      return;
    }
    case 'uuid':
      if (value === 'random') {
        draft.change(place, 'UUID', undefined, 'derived from the name');
        return;
      }
      draft.set(place, 'UUID', value.toLowerCase());
      return;
    case 'guest':
      draft.set(place, 'OS', value);
      return;
    case 'utctime':
      draft.set(place, 'RTC', isYes(value) ? 'utc' : 'localtime');
      return;
    case 'graphics':
      draft.set(place, 'VNC', isYes(value) ? screenOf(values) : 'off');
      return;
    case 'graphics_port':
      if (displayOf(value) === undefined) draft.lose(place, 'ports of VNC begin at 5900');
      else draft.carry(place, 'VNC', screenOf(values));
      return;
    case 'graphics_listen':
      if (value === '127.0.0.1') draft.carry(place, 'VNC', screenOf(values));
      else draft.change(place, 'VNC', screenOf(values), 'on this host only: other addresses need a password or TLS');
      return;
    case 'vnc_password':
      draft.lose(
        { line: place.line, source: `${key}: (secret)` },
        'the password is in a file: VNC=ADDRESS,password=FILE',
      );
      return;
    case 'xhci_mouse':
      draft.set(place, 'USB', isYes(value) ? 'on' : 'off');
      return;
    case 'virt_random':
      draft.set(place, 'RNG', isYes(value) ? 'on' : 'off');
      return;
    case 'sound':
      draft.set(place, 'SOUND', isYes(value) ? 'hda' : 'off');
      return;
    default:
      draft.lose(place, LOST.find(([pattern]) => pattern.test(key))?.[1] ?? `"${key}" has no counterpart`);
  }
}

function screenOf(values: ReadonlyMap<string, string>): string {
  const display = displayOf(values.get('graphics_port') ?? '');
  return display === undefined ? 'on' : `127.0.0.1:${display}`;
}

/** Number of the display of a port of VNC. */
function displayOf(port: string): number | undefined {
  const display = /^\d+$/.test(port) ? Number(port) - 5900 : -1;
  return display < 0 || display > 999 ? undefined : display;
}

const LOST: readonly (readonly [key: RegExp, reason: string])[] = [
  [/^graphics_/, 'the screen is used with its defaults'],
  [/_slot(?:_start)?$|^ahci_device_limit$/, 'PCI places are given by qemu-init'],
  [/^uefi_vars$/, 'new variables: boot entries are found again, enrolled keys are not'],
  [/^sound_/, 'see the backend= of SOUND'],
  [/^(?:grub|bhyveload)_|^loader_timeout$/, 'the disk is booted by the firmware'],
  [/^passthru\d+$/, 'PCI devices have another address on this host: see PCIx'],
  [/^bhyve_options$/, 'options of bhyve are not those of QEMU'],
  [/^(?:comports|tty\w*|virt_console\d+)$/, 'the console is on a socket: qemu-init console'],
  [/^(?:prestart|poststart|poststop)$/, 'see PRECMD, POSTCMD and POSTSTOP'],
  [/^(?:priority|limit_\w+|zfs_\w+|ignore_bad_msr|vm_rtc|debug|wired_memory|hostbridge)$/, 'a setting of FreeBSD'],
];

function readDiskKey(source: Source, number: string, part: string, value: string, place: ImportPlace): void {
  const { draft, files, values } = source;
  if (part !== 'name') {
    if (part === 'type' || part === 'dev') draft.carry(place, diskKey(values, number), value);
    else if (part === 'size') draft.lose(place, 'the image has its size');
    else if (part === 'opts') readDiskOptions(source, number, value, place);
    else draft.lose(place, 'options of bhyve are not those of QEMU');
    return;
  }
  const type = values.get(`disk${number}_type`) ?? 'virtio-blk';
  const kind = values.get(`disk${number}_dev`) ?? 'file';
  if (value.split('/').includes('..')) {
    draft.refuse(place, 'the name has ".." in it');
    return;
  }
  if (kind !== 'file' && kind !== 'custom') {
    draft.refuse(place, `a disk on "${kind}" is not on this host: copy it to a file`);
    return;
  }
  const [, tag, folder] = /^([^=]+)=(.+)$/.exec(value) ?? [];
  if (type === 'virtio-9p' && tag !== undefined && folder !== undefined) {
    draft.carry(place, draft.addDevice('SHARE', folder, [...SHARE_OPTIONS, ['tag', tag]]), folder);
    return;
  }
  const path = value.startsWith('/') ? value : join(files.dir, value);
  if (type === 'ahci-cd') {
    draft.carry(place, draft.addDevice('CDR', path, [['optional', 'on']]), path);
    return;
  }
  const buses: Readonly<Record<string, string>> = {
    'virtio-blk': 'virtio',
    'ahci-hd': 'sata',
    nvme: 'nvme',
    'virtio-scsi': 'scsi',
  };
  const bus = buses[type];
  const words = values.get(`disk${number}_opts`)?.split(',') ?? [];
  const device = draft.addDevice('DSK', path, [
    ['format', 'raw'],
    ['if', bus ?? 'virtio'],
    ...DISK_OPTIONS.flatMap(([word, ...option]) => (words.includes(word) ? [option] : [])),
  ]);
  if (bus === undefined) draft.change(place, device, path, `there are no disks of type "${type}"`);
  else draft.carry(place, device, path);
}

const SHARE_OPTIONS = [['driver', '9p']] as const;

/** Words of `disk0_opts` and the options of DSKx that are the same. */
const DISK_OPTIONS: readonly (readonly [word: string, name: string, value: string])[] = [
  ['ro', 'readonly', 'on'],
  ['nocache', 'cache', 'none'],
];

function readDiskOptions({ draft, values }: Source, number: string, value: string, { line }: ImportPlace): void {
  for (const word of value.split(',')) {
    const place = { line, source: `disk${number}_opts: ${word}` };
    const option = DISK_OPTIONS.find(([known]) => known === word);
    if (option && values.get(`disk${number}_type`) !== 'ahci-cd') draft.carry(place, 'DSKx', option.slice(1).join('='));
    else draft.lose(place, 'options of bhyve are not those of QEMU');
  }
}

function diskKey(values: ReadonlyMap<string, string>, number: string): string {
  if (values.get(`disk${number}_type`) === 'virtio-9p') return 'SHAREx';
  return values.get(`disk${number}_type`) === 'ahci-cd' ? 'CDRx' : 'DSKx';
}

function readNetworkKey(
  { draft, values }: Source,
  number: string,
  part: string,
  value: string,
  place: ImportPlace,
): void {
  if (part === 'type') {
    const model = value === 'e1000' ? 'e1000' : 'virtio-net-pci';
    const written = values.get(`network${number}_mac`);
    const mac = written === 'random' ? undefined : written;
    const device = draft.addDevice('NIC', model, mac === undefined ? [] : [['mac', mac]]);
    draft.carry(place, device, model);
    return;
  }
  if (part === 'mac') draft.carry(place, 'NICx', `mac=${value}`);
  else if (part === 'switch')
    draft.change(
      place,
      'BRIDGE_IFNAME',
      undefined,
      'switches of vm-bhyve are not on this host: the NIC is on the default bridge',
    );
  else draft.lose(place, 'has no counterpart');
}

function smpOf(values: ReadonlyMap<string, string>): string {
  const sizes = ['sockets', 'cores', 'threads'].flatMap((name) => {
    const value = values.get(`cpu_${name}`);
    return value === undefined ? [] : [`${name}=${value}`];
  });
  return [values.get('cpu') ?? '1', ...sizes].join(',');
}

/** bhyve gives a guest no more than it names. */
function assumeDefaults({ draft }: Source): void {
  for (const [key, value] of [
    ['MACHINE', 'q35'],
    ['RAM', '256M'],
    ['SMP', '1'],
    ['FIRMWARE', 'bios'],
    ['VNC', 'off'],
    ['RNG', 'off'],
    ['RTC', 'utc'],
  ] as const) {
    draft.assume(key, value);
  }
}
