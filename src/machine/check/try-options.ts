import type { Option } from '../argv/option.ts';
import { joinValues, readValues, type SplitOption, splitOptions } from './option-values.ts';

/** An option as it is tried. */
export interface TriedOption {
  readonly option: Option;
  /** None: nothing of it is tried. */
  readonly args: readonly string[];
  /** Those of QEMU's options in it that are left out. */
  readonly leftOut: readonly string[];
}

/**
 * The same options for a QEMU that makes the machine and nothing else: images are empty devices, netdevs lead nowhere,
 * and of all else only what is known to open nothing is passed on, with what refers to none that is left out. Pure.
 */
export function harmlessOptions(options: readonly Option[]): TriedOption[] {
  const gone = new Set<string>();
  const split = options.map((option) => ({ option, parts: splitOptions(option.args) }));
  for (let size = -1; size !== gone.size; ) {
    size = gone.size;
    for (const { option, parts } of split) {
      for (const part of parts) if (isLeftOut(part, option, gone)) noteId(part, gone);
    }
  }
  return split.map(({ option, parts }) => ({
    option,
    args: parts.flatMap((part) => (isLeftOut(part, option, gone) ? [] : harmlessOption(part, isOurs(option)))),
    leftOut: parts.filter((part) => isLeftOut(part, option, gone)).map((part) => part.option),
  }));
}

function isLeftOut(part: SplitOption, option: Option, gone: ReadonlySet<string>): boolean {
  if (harmlessOption(part, isOurs(option)).length === 0) return true;
  if (MADE_EMPTY.has(part.name) || gone.size === 0) return false;
  return part.values.some((value) =>
    [...readValues(value)].some(
      ([name, id]) => name !== 'id' && gone.has(name === 'bus' ? id.replace(/\..*/, '') : id),
    ),
  );
}

function noteId({ name, values: [value = ''] }: SplitOption, gone: Set<string>): void {
  const id = readValues(value).get('id');
  if (id !== undefined && REFERRED_TO.has(name)) gone.add(id);
}

function isOurs({ key }: Option): boolean {
  return key !== '[custom]';
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));

/** Whose ids other options name. */
const REFERRED_TO = words('object fsdev tpmdev device drive chardev');

/** Nothing of what they refer to is kept. */
const MADE_EMPTY = words('chardev netdev drive blockdev audiodev');

/** What opens nothing, whatever it is told, but for values that are paths. */
const OPENS_NOTHING = words(
  'action boot compat cpu enable-kvm full-screen g global icount m machine M name no-acpi no-fd-bootchk no-hpet ' +
    'no-reboot no-shutdown no-user-config nodefaults numa only-migratable portrait prom-env rotate rtc sandbox seed ' +
    'singlestep smbios smp usb uuid vga watchdog watchdog-action win2k-hack',
);

/** What else QEMU has. Of an option that it does not have, the name is tried, so that QEMU reports it. */
const NOT_TRIED = words(
  'D L S acpitable add-fd append async-teardown audio audio-help bios bt chroot curses d daemonize dfilter dtb ' +
    'dump-vmstate echr enable-fips enable-sync-profile fda fdb fsdev fw_cfg gdb h help incoming initrd iscsi k kernel loadvm ' +
    'mem-path mem-prealloc mon monitor msg mtdblock net nic nographic nouserconfig old-param option-rom overcommit pflash ' +
    'pidfile plugin preconfig qmp qmp-pretty qtest qtest-log readconfig run-with runas s sd sdl semihosting ' +
    'semihosting-config shim snapshot spice tdf tpmdev trace version virtfs virtfs_synth vnc writeconfig xen-attach ' +
    'xen-domid xen-domid-restrict',
);

/** Files that the machine itself names, and that are only read. */
const OWN_FILES = words('append bios initrd kernel');

/** Objects that are nothing but themselves. */
const OBJECTS = words(
  'iothread main-loop throttle-group thread-context memory-backend-ram memory-backend-memfd rng-builtin cryptodev-backend-builtin ' +
    'authz-list authz-simple can-bus',
);

function harmlessOption({ option, name, values }: SplitOption, isOwn: boolean): string[] {
  const [value = ''] = values;
  const read = readValues(value);
  const of = (...names: readonly string[]): string =>
    joinValues(names.flatMap((each) => (read.has(each) ? [[each, read.get(each) ?? ''] as const] : [])));
  switch (name) {
    case 'chardev':
      return read.has('id') ? [option, `null,${of('id', 'mux')}`] : [];
    case 'serial':
    case 'parallel':
    case 'debugcon':
      return value.startsWith('chardev:') ? [option, value] : [option, 'null'];
    case 'netdev':
      return read.has('id') ? [option, `hubport,${of('id')},hubid=0`] : [];
    case 'drive':
      return harmlessDrive(option, value, isOwn);
    case 'blockdev':
      return read.has('node-name') ? [option, `null-co,read-zeroes=on,${of('node-name')}`] : [];
    case 'hda':
    case 'hdb':
    case 'hdc':
    case 'hdd':
      return ['-drive', `if=ide,index=${'abcd'.indexOf(name.at(-1) ?? '')},driver=null-co,size=64M`];
    case 'cdrom':
      return ['-drive', 'if=ide,index=2,media=cdrom,driver=null-co,size=64M'];
    case 'audiodev':
      return read.has('id') ? [option, `none,${of('id')}`] : [];
    case 'display':
      return /^(?:none|egl-headless)(?:,|$)/.test(value) ? [option, value.split(',', 1)[0] ?? ''] : [];
    case 'accel':
      return /^(?:accel=)?(?:tcg|kvm)(?:,|$)/.test(value) && !namesPath(read) ? [option, ...values] : [];
    case 'object':
      return OBJECTS.has(read.get('qom-type') ?? read.get('') ?? '') && !namesPath(read) ? [option, value] : [];
    case 'device':
      return TAKES_FROM_HOST.test(value) || namesPath(read) ? [] : [option, value];
    case 'fw_cfg':
      return read.has('string') && !read.has('file') ? [option, value] : [];
    case 'set':
      return value.startsWith('device.') && !namesPath(read) ? [option, value] : [];
    case 'usbdevice':
      return /^(?:mouse|tablet|wacom-tablet|keyboard)$/.test(value) ? [option, value] : [];
    case 'machine':
    case 'M':
      return [option, value.startsWith('{') ? '{}' : joinValues([...read].filter((pair) => !isPath(pair)))];
    default:
      return simpleOption({ option, name, values }, isOwn);
  }
}

function simpleOption({ option, name, values }: SplitOption, isOwn: boolean): string[] {
  if (isOwn && OWN_FILES.has(name)) return [option, ...values];
  if (OPENS_NOTHING.has(name)) {
    return values.some((value) => namesPath(readValues(value))) ? [] : [option, ...values];
  }
  return NOT_TRIED.has(name) ? [] : [option];
}

/** Devices that are the host's, or that only one machine of it can have. */
const TAKES_FROM_HOST =
  /vfio|usb-host|passthr|input-host|scsi-(?:generic|block)|vhost|ivshmem|tpm-|ccid-card|canokey|u2f|xen|usb-mtp/;

/** Properties that are files, or that say what to do with one. */
const PATHS = /(?:^|[.-])(?:dumpdtb|dtb|kernel|initrd|firmware|splash|rr|evdev|hostdev)$|(?:file|filename|path|dir)$/;

function namesPath(values: ReadonlyMap<string, string>): boolean {
  return [...values].some(isPath);
}

function isPath([name, value]: readonly [string, string]): boolean {
  return value !== '' && (value.includes('/') || PATHS.test(name));
}

/** Of a flash only the code is there: its variables may not be made yet. */
function harmlessDrive(option: string, value: string, isOwn: boolean): string[] {
  const read = readValues(value);
  if (read.get('if') === 'pflash') return isOwn && read.get('readonly') === 'on' ? [option, value] : [];
  const kept = [...read].filter(([name]) => /^(?:if|id|index|bus|unit|media|readonly)$/.test(name));
  const isEmpty = ![...read.keys()].some((name) => /^(?:file|driver|format)(?:\.|$)/.test(name));
  return [option, joinValues([...kept, ...(isEmpty ? [] : NOTHING)])];
}

const NOTHING = [
  ['driver', 'null-co'],
  ['size', '64M'],
  ['read-zeroes', 'on'],
] as const;
