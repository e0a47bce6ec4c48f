import { quote } from '../../base/text.ts';
import { guestOptions } from './guest-options.ts';
import type { SavedImage, SavedLayer, SavedRecord } from './saved-record.ts';

/** Hardware as a start would make it now. */
export interface HardwareNow {
  readonly qemuVersion: string;
  /** Each name and alias of a machine type that QEMU has, to the full name. */
  readonly machineTypes: ReadonlyMap<string, string>;
  /** Its options, each with the key that it is from. */
  readonly options: readonly { readonly key: string; readonly args: readonly string[] }[];
  /** The cfg, as in `LaunchRecord.config`. */
  readonly config: string;
  readonly hostCpu: string | undefined;
  /** Whether what the models `host` and `max` are in this version of QEMU is compared elsewhere. */
  readonly hasComparedCpus?: boolean | undefined;
}

/** A machine as a start would make it now. */
export interface MachineNow extends HardwareNow {
  readonly images: readonly SavedImage[];
  readonly hashes: Readonly<Record<string, string>>;
}

/** What a guest was started on. */
export type HardwareThen = Pick<SavedRecord, 'qemu' | 'args' | 'config' | 'machineType' | 'hostCpu'>;

/**
 * What differs between a machine when it was saved and now, so that its state must not be loaded: with other disks the
 * guest destroys its file systems, with other hardware it works on devices that are not there. Empty: it fits. Pure.
 */
export function savedDifferences(record: SavedRecord, now: MachineNow): string[] {
  return [
    ...hardwareDifferences(record, now),
    ...imageDifferences(record.images, now.images),
    ...Object.entries(record.hashes)
      .filter(([path, hash]) => now.hashes[path] !== hash)
      .map(([path]) => `${quote(path)} has changed`),
  ];
}

/** The part of {@link savedDifferences} that is about the hardware. Pure. */
export function hardwareDifferences(record: HardwareThen, now: HardwareNow): string[] {
  return [...qemuDifferences(record, now), ...optionDifferences(record, now)];
}

/**
 * The machine type to load the state with: an alias such as `q35` means another type in another version of QEMU.
 *
 * @param machine value of MACHINE, with its properties.
 */
export function savedMachineType(
  { machineType, args }: Pick<SavedRecord, 'machineType' | 'args'>,
  machine: string,
): string {
  const [type = '', ...properties] = machine.split(',');
  return machineType !== undefined && type === typeIn(args) ? [machineType, ...properties].join(',') : machine;
}

function typeIn(args: readonly string[]): string {
  return (args[args.indexOf('-machine') + 1] ?? '').split(',')[0] ?? '';
}

function qemuDifferences({ qemu, args, machineType, hostCpu }: HardwareThen, now: HardwareNow): string[] {
  const isOther = release(qemu.version) !== release(now.qemuVersion);
  // These models are what a version of QEMU, and a host, can do; the others stay as they are.
  const cpu = /^(?:host|max)(?=,|$)/.exec(args[args.indexOf('-cpu') + 1] ?? '')?.[0];
  return [
    ...(machineType !== undefined && !now.machineTypes.has(machineType)
      ? [`MACHINE: QEMU ${now.qemuVersion} does not have ${machineType}, which QEMU ${qemu.version} made`]
      : []),
    ...(isOther && cpu !== undefined && now.hasComparedCpus !== true
      ? [`QEMU is ${now.qemuVersion} and was ${qemu.version}, whose processor "${cpu}" is another one`]
      : []),
    ...(hostCpu !== undefined && hostCpu !== now.hostCpu ? ["CPU: the host's processor is another one"] : []),
  ];
}

/** Major and minor version: fixes do not change the hardware. */
export function release(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}

function optionDifferences(record: HardwareThen, now: HardwareNow): string[] {
  const before = guestOptions(record.args).map((option) => withType(option, record, now));
  // A line of [custom] can hold several.
  const after = now.options.flatMap(({ key, args }) =>
    guestOptions(args).map((option) => ({ key, option: withType(option, record, now) })),
  );
  const gone = without(
    before,
    after.map(({ option }) => option),
  );
  const fresh = without(
    after.map(({ option }) => option),
    before,
  );
  if (gone.length + fresh.length === 0) return [];
  const settings = { before: settingsOf(record.config), after: settingsOf(now.config) };
  const keys = new Set(after.filter(({ option }) => fresh.includes(option)).map(({ key }) => key));
  // Of what is gone the key is only in the old cfg.
  for (const key of settings.before.keys()) if (!settings.after.has(key) && isHardware(key)) keys.add(key);
  const named = [...keys].flatMap((key) => keyDifference(key, settings) ?? []);
  return named.length > 0
    ? named
    : [...gone.map((each) => `${quote(each)} is gone`), ...fresh.map((each) => `${quote(each)} is new`)];
}

interface Settings {
  readonly before: ReadonlyMap<string, string>;
  readonly after: ReadonlyMap<string, string>;
}

function keyDifference(key: string, { before, after }: Settings): string | undefined {
  const [was, is] = [before.get(key), after.get(key)];
  // The same words mean something else on this host now, or the option is from elsewhere.
  if (was === is) return key === '' ? undefined : `${key} means other hardware than before`;
  if (was === undefined) return `${key} is ${quote(is ?? '')} and was not set`;
  return is === undefined ? `${key} is not set and was ${quote(was)}` : `${key} is ${quote(is)} and was ${quote(was)}`;
}

/** Whether a key that was removed from the cfg took an option with it which no other key explains. */
function isHardware(key: string): boolean {
  return !/^(?:NAME|DESC|AUTOSTART|BOOTORDER|BOOTDELAY|REQUIRES|STOP.*|PRE.*|POST.*|RESTART|ONSHUTDOWN|VNC|NETIF|RUNAS|SANDBOX|BRIDGE_IFNAME|APPEND)$/.test(
    key,
  );
}

/** `-machine q35,…` with the full name of the type. */
function withType(option: string, record: HardwareThen, now: HardwareNow): string {
  return option.replace(/^-machine ([^,]*)/, (_, type: string) => {
    const full = type === typeIn(record.args) ? record.machineType : now.machineTypes.get(type);
    return `-machine ${full ?? type}`;
  });
}

/** Lines `KEY=value`, and those of `[custom]` under their own text. */
function settingsOf(config: string): ReadonlyMap<string, string> {
  return new Map(
    config.split('\n').flatMap((line): [string, string][] => {
      const at = line.indexOf('=');
      return at < 0 || line.startsWith('-') ? [] : [[line.slice(0, at), line.slice(at + 1).replace(/^"(.*)"$/, '$1')]];
    }),
  );
}

/** What of `all` is not in `others`, each as often as there is more of it. */
function without(all: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return all.filter((each) => {
    const at = left.indexOf(each);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

function imageDifferences(before: readonly SavedImage[], after: readonly SavedImage[]): string[] {
  return before.flatMap(({ key, layers }) => {
    const now = after.find((image) => image.key === key);
    // That it is gone is a difference of the options.
    return now === undefined ? [] : layerDifferences(key, layers, now.layers);
  });
}

function layerDifferences(key: string, before: readonly SavedLayer[], after: readonly SavedLayer[]): string[] {
  for (const [at, was] of before.entries()) {
    const is = after[at];
    const role = at === 0 ? key : `${key} rests on ${quote(was.path)}, which`;
    if (is === undefined) return [at === 0 ? `${key} ${quote(was.path)} is missing` : `${role} is missing`];
    if (is.path !== was.path && at === 0) return [`${key} is ${quote(is.path)} and was ${quote(was.path)}`];
    if (is.path !== was.path) return [`${key} rests on ${quote(is.path)}, before on ${quote(was.path)}`];
    const what = fileDifference(was, is);
    if (what !== undefined) return [`${at === 0 ? `${key} ${quote(was.path)}` : role} ${what}`];
  }
  const more = after[before.length];
  return more === undefined ? [] : [`${key} rests on ${quote(more.path)}, which it did not`];
}

function fileDifference(was: SavedLayer, is: SavedLayer): string | undefined {
  if (was.format !== is.format) return `is ${is.format} and was ${was.format}`;
  if (was.file === undefined || is.file === undefined)
    return was.file === is.file ? undefined : 'is another kind of file';
  if (was.file.sizeBytes !== is.file.sizeBytes) return `has ${is.file.sizeBytes} bytes and had ${was.file.sizeBytes}`;
  if (was.file.inode !== is.file.inode) return 'is another file of that name';
  return was.file.mtimeNs === is.file.mtimeNs ? undefined : 'was written to since';
}
