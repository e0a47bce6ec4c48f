import { isRecord } from '../../../base/guards.ts';
import type { ImportPlace } from '../draft.ts';
import { deviceNames, driveNames } from './names.ts';
import type { CommandWord } from './words.ts';

/** One option of a QEMU command line. */
export interface CommandOption extends ImportPlace {
  /** Without the dash: `drive`. */
  readonly name: string;
  /** The word after it, for options that take one. */
  readonly value: string | undefined;
  /** What the value is made of: `[['file', 'a.img'], ['format', 'raw']]`. */
  readonly properties: readonly (readonly [name: string, value: string])[];
  /** Why it cannot be used. */
  readonly problem?: string | undefined;
  /** Names of the properties that a reader knows. */
  readonly known: Set<string>;
  /** A part of the result stands for it. */
  isUsed: boolean;
  /** That part is qemu-init's own, whatever the properties are. */
  isReplaced?: boolean;
}

/** Options without a value (qemu-system(1), QEMU 10 and older ones). */
const WITHOUT_VALUE = new Set([
  ...['S', 's', 'h', 'help', 'version', 'enable-kvm', 'nographic', 'daemonize', 'snapshot', 'usb', 'no-reboot'],
  ...['no-shutdown', 'no-acpi', 'no-hpet', 'no-fd-bootchk', 'nodefaults', 'no-user-config', 'full-screen', 'no-quit'],
  ...['no-frame', 'curses', 'portrait', 'win2k-hack', 'rtc-td-hack', 'singlestep', 'one-insn-per-tb', 'old-param'],
  ...['only-migratable', 'xen-attach', 'xen-domid-restrict', 'semihosting', 'mem-prealloc', 'no-kvm', 'no-kvm-irqchip'],
  ...[
    'no-kvm-pit',
    'no-kvm-pit-reinjection',
    'localtime',
    'alt-grab',
    'ctrl-grab',
    'preconfig',
    'readonly',
    'ignore-environment',
    'nouserconfig',
    'nodefconfig',
    'sdl',
    'show-cursor',
    'enable-fips',
    'enable-sync-profile',
    'enable-nesting',
    'disable-kvm',
    'async-teardown',
    'perfmap',
    'jitdump',
  ],
]);

/** The name that the first word of a value has when it has none. */
const IMPLIED: Readonly<Record<string, string>> = {
  accel: 'accel',
  audio: 'driver',
  audiodev: 'driver',
  boot: 'order',
  chardev: 'backend',
  cpu: 'model',
  device: 'driver',
  display: 'type',
  fsdev: 'fsdriver',
  m: 'size',
  machine: 'type',
  M: 'type',
  mon: 'chardev',
  name: 'guest',
  net: 'type',
  netdev: 'type',
  nic: 'type',
  numa: 'type',
  object: 'qom-type',
  overcommit: 'mem-lock',
  rtc: 'base',
  sandbox: 'enable',
  smp: 'cpus',
  tpmdev: 'type',
  virtfs: 'fsdriver',
  vnc: 'vnc',
};

/** Options whose value is one text. */
const PLAIN = new Set([
  ...['append', 'bios', 'cdrom', 'fda', 'fdb', 'hda', 'hdb', 'hdc', 'hdd', 'initrd', 'k', 'kernel', 'dtb', 'pidfile'],
  ...[
    'serial',
    'parallel',
    'monitor',
    'qmp',
    'qmp-pretty',
    'uuid',
    'vga',
    'loadvm',
    'incoming',
    'runas',
    'chroot',
    'D',
    'd',
  ],
  ...[
    'L',
    'readconfig',
    'pflash',
    'sd',
    'mtdblock',
    'usbdevice',
    'watchdog',
    'watchdog-action',
    'soundhw',
    'option-rom',
    'debugcon',
    'gdb',
    'echr',
    'g',
    'trace',
    'dump-vmstate',
    'balloon',
  ],
]);

/**
 * Puts the words of a command line together to options. A word without a dash is the first disk, as for QEMU.
 *
 * @param words without the program.
 */
export function parseOptions(words: readonly CommandWord[]): CommandOption[] {
  const options: CommandOption[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    if (!word) break;
    const name = /^--?(.+)$/.exec(word.text)?.[1];
    if (name === undefined) {
      options.push({ ...option('hda', word.text, { line: word.line, source: word.text }), problem: word.problem });
      continue;
    }
    if (WITHOUT_VALUE.has(name)) {
      options.push(option(name, undefined, { line: word.line, source: `-${name}` }));
      continue;
    }
    const { text: value, problem } = words[at + 1] ?? {};
    at += 1;
    const source = `-${name}${value === undefined ? '' : ` ${value}`}`;
    options.push({ ...option(name, value, { line: word.line, source }), problem: word.problem ?? problem });
  }
  return options;
}

function option(name: string, value: string | undefined, place: ImportPlace): CommandOption {
  const written = value === undefined || PLAIN.has(name) ? [] : parseProperties(value, IMPLIED[name] ?? '');
  const properties = name === 'device' ? deviceNames(written) : name === 'drive' ? driveNames(written) : written;
  return { ...place, name, value, properties, known: new Set(), isUsed: false };
}

/**
 * `a,b=c` with doubled commas, or JSON. A word without `=` is on, one that begins with `no` off, as older QEMU has it;
 * the first one is the value of the implied name.
 */
export function parseProperties(value: string, implied: string): [string, string][] {
  if (value.startsWith('{')) return fromJson(value);
  return splitAtCommas(value).map((word, position): [string, string] => {
    const at = word.indexOf('=');
    if (at >= 0) return [word.slice(0, at), word.slice(at + 1)];
    if (position === 0 && implied !== '') return [implied, word];
    return /^no[a-z]/.test(word) && !word.startsWith('node') ? [word.slice(2), 'off'] : [word, 'on'];
  });
}

function splitAtCommas(value: string): string[] {
  const parts = [''];
  for (const [piece] of value.matchAll(/,,|,|[^,]+/g)) {
    if (piece === ',') parts.push('');
    else parts[parts.length - 1] += piece === ',,' ? ',' : piece;
  }
  return parts.filter((part) => part !== '');
}

function fromJson(text: string): [string, string][] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [['', text]];
  }
  return isRecord(value) ? flatten(value, '') : [['', text]];
}

/** Members of members have names with dots, as in the other form. */
function flatten(value: Readonly<Record<string, unknown>>, prefix: string): [string, string][] {
  return Object.entries(value).flatMap(([name, member]): [string, string][] => {
    if (isRecord(member)) return flatten(member, `${prefix}${name}.`);
    const text = member === true ? 'on' : member === false ? 'off' : String(member);
    return [[`${prefix}${name}`, text]];
  });
}

/** The last value of a property. */
export function property(option: CommandOption, name: string): string | undefined {
  option.known.add(name);
  return option.properties.findLast(([each]) => each === name)?.[1];
}

/** Properties other than those named. */
export function others(option: CommandOption, ...names: string[]): readonly (readonly [string, string])[] {
  for (const name of names) option.known.add(name);
  return option.properties.filter(([name]) => !names.includes(name));
}
