import { renderOptionList } from '../../../config/text/option-list.ts';
import { setProcessors } from '../processors.ts';
import { readMemory, useBoardMemory } from './memory.ts';
import { defaultBoard, defaultProcessor, targetOf } from './names.ts';
import { type CommandOption, others, property } from './options.ts';
import type { CommandSource } from './source.ts';

/** Name, processor, memory, clock, firmware tables: what a machine is before its devices. */
export function readBoard(source: CommandSource): void {
  readName(source);
  readMachine(source);
  readProcessor(source);
  readMemory(source);
  readClock(source);
  readKernel(source);
  readSmbios(source);
  readGlobals(source);
}

function last(source: CommandSource, ...names: string[]): CommandOption | undefined {
  return source.unused(...names).at(-1);
}

function readName(source: CommandSource): void {
  const { draft } = source;
  for (const option of source.unused('name')) {
    const name = property(option, 'guest') ?? property(option, 'type');
    source.use(option);
    if (name === undefined) {
      draft.carry(option, '');
      continue;
    }
    draft.name = name;
    draft.set(option, 'NAME', name);
    source.loseParts(option, others(option, 'guest', 'debug-threads', 'process'), 'has no counterpart');
  }
  const uuid = last(source, 'uuid');
  if (uuid?.value !== undefined) draft.set(source.use(uuid), 'UUID', uuid.value.toLowerCase());
}

/** Properties of the board that are keys. */
const BOARD_KEYS: Readonly<Record<string, string>> = { hpet: 'HPET' };

/** Properties of the board that QEMU or qemu-init sets by itself. */
const BOARD_PLAIN = ['type', 'accel', 'usb', 'smm', 'pflash0', 'pflash1', 'graphics'];

function readMachine(source: CommandSource): void {
  const { draft } = source;
  for (const option of source.unused('machine', 'M')) {
    source.use(option);
    const type = property(option, 'type');
    const accel = property(option, 'accel');
    if (type !== undefined) setBoard(source, option, type);
    if (accel !== undefined) setAccelerator(source, option, accel.split(':')[0] ?? '');
    const isUsualMemory = useBoardMemory(source, property(option, 'memory-backend'));
    for (const [name, value] of others(option, ...BOARD_PLAIN, ...(isUsualMemory ? ['memory-backend'] : []))) {
      const place = { line: option.line, source: `-machine ${name}=${value}` };
      const key = BOARD_KEYS[name];
      if (key !== undefined) draft.set(place, key, value);
      else
        draft.addCustom(
          place,
          ['-machine', renderOptionList(name, []).concat(`=${value.replaceAll(',', ',,')}`)],
          'an option of QEMU',
        );
    }
    if (type === undefined && accel === undefined && others(option, ...BOARD_PLAIN).length === 0)
      draft.carry(option, '');
  }
  assumeBoard(source);
  for (const option of source.unused('accel'))
    setAccelerator(source, source.use(option), property(option, 'accel') ?? '');
  for (const option of source.unused('enable-kvm')) draft.set(source.use(option), 'KVM', 'on');
  for (const option of source.unused('no-hpet')) draft.set(source.use(option), 'HPET', 'off');
  draft.assume('KVM', source.isKvmByName ? 'on' : 'off');
}

function setBoard({ draft }: CommandSource, option: CommandOption, type: string): void {
  const plain = type.replace(/\+pve\d+$/, '');
  if (plain === type) draft.set(option, 'MACHINE', type);
  else draft.setChanged(option, 'MACHINE', plain, 'without the additions of Proxmox VE');
}

/** QEMU's own type, when nothing is said. */
function assumeBoard({ draft }: CommandSource): void {
  if (draft.settings.has('MACHINE')) return;
  const binary = draft.settings.get('TGTARCH');
  const board = defaultBoard(targetOf(binary));
  if (board === undefined) {
    draft.refuse({ line: 1, source: binary ?? '' }, 'this QEMU does not start without -machine');
    draft.assume('MACHINE', 'none');
  } else draft.assume('MACHINE', board);
}

function setAccelerator({ draft }: CommandSource, place: { line: number; source: string }, accel: string): void {
  // The first that works is taken.
  if (draft.settings.has('KVM')) draft.carry(place, 'KVM');
  else if (accel === 'kvm' || accel === 'tcg') draft.set(place, 'KVM', accel === 'kvm' ? 'on' : 'off');
  else draft.setChanged(place, 'KVM', 'auto', `there is no accelerator "${accel}"`);
}

function readProcessor(source: CommandSource): void {
  const { draft } = source;
  const cpu = last(source, 'cpu');
  if (cpu?.value !== undefined) draft.set(source.use(cpu), 'CPU', cpu.value);
  const usual = defaultProcessor(targetOf(draft.settings.get('TGTARCH')));
  if (usual !== undefined) draft.assume('CPU', usual);
  const smp = source.unused('smp');
  for (const option of smp) {
    source.use(option);
    const [first, ...rest] = option.properties;
    const words = [first?.[0] === 'cpus' ? first[1] : first?.join('='), ...rest.map((word) => word.join('='))];
    draft.carry(option, 'SMP', setProcessors(draft, words.join(',')));
  }
  draft.assume('SMP', '1');
}

function readClock(source: CommandSource): void {
  const { draft } = source;
  for (const option of source.unused('rtc')) {
    const base = property(option, 'base') ?? 'utc';
    const drift = property(option, 'driftfix');
    const value = `${base === 'localtime' ? 'localtime' : 'utc'}${drift === undefined ? '' : `,driftfix=${drift}`}`;
    if (base === 'utc' || base === 'localtime') draft.set(source.use(option), 'RTC', value);
    else draft.setChanged(source.use(option), 'RTC', value, 'the clock begins with the time of the host');
    const isHost = property(option, 'clock') === 'host';
    source.loseParts(option, others(option, 'base', 'driftfix', ...(isHost ? ['clock'] : [])), 'has no counterpart');
  }
  for (const option of source.unused('localtime')) draft.set(source.use(option), 'RTC', 'localtime');
  draft.assume('RTC', 'utc');
}

function readKernel(source: CommandSource): void {
  for (const [name, key] of [
    ['kernel', 'KERNEL'],
    ['initrd', 'INITRD'],
    ['append', 'APPEND'],
    ['k', 'KEYMAP'],
  ] as const) {
    const option = last(source, name);
    if (option?.value === undefined) continue;
    const value = name === 'kernel' || name === 'initrd' ? source.path(option.value) : option.value;
    source.draft.set(source.use(option), key, value);
  }
}

/** Tables of SMBIOSx by their numbers (SMBIOS 3.2, 7). */
const TABLES: Readonly<Record<string, string>> = {
  0: 'bios',
  1: 'system',
  2: 'baseboard',
  3: 'chassis',
  4: 'processor',
  11: 'oem',
};

function readSmbios(source: CommandSource): void {
  const { draft } = source;
  for (const option of source.unused('smbios')) {
    const table = TABLES[property(option, 'type') ?? ''];
    if (table === undefined) continue;
    const fields = others(option, 'type', 'uuid', 'asset_tag', 'sock_pfx', 'loc_pfx', 'uefi');
    const uuid = property(option, 'uuid');
    // A table without texts is there nevertheless.
    if (fields.length === 0 && uuid === undefined) continue;
    if (uuid !== undefined) draft.settings.set('UUID', uuid.toLowerCase());
    source.use(option);
    if (fields.length === 0) draft.carry(option, 'UUID', uuid);
    else {
      const device = draft.addDevice(
        'SMBIOS',
        table,
        fields.map(([name, value]): [string, string] => [name, value]),
      );
      draft.carry(option, device);
    }
  }
}

/** Defaults of devices that are keys. */
const GLOBALS: readonly (readonly [name: RegExp, key: string, value: (text: string) => string])[] = [
  [/^kvm-pit\.lost_tick_policy$/, 'PIT', (text) => text],
  [/^(?:ICH9-LPC|PIIX4_PM)\.disable_s3$/, 'S3', (text) => (text === '1' || text === 'on' ? 'off' : 'on')],
  [/^(?:ICH9-LPC|PIIX4_PM)\.disable_s4$/, 'S4', (text) => (text === '1' || text === 'on' ? 'off' : 'on')],
];

function readGlobals(source: CommandSource): void {
  const { draft } = source;
  for (const option of source.unused('global')) {
    const named = property(option, 'property');
    const [name, value] =
      named === undefined
        ? (option.properties[0] ?? ['', ''])
        : [`${property(option, 'driver') ?? ''}.${named}`, property(option, 'value') ?? ''];
    const known = GLOBALS.find(([pattern]) => pattern.test(name));
    if (known) draft.set(source.use(option), known[1], known[2](value));
  }
}
