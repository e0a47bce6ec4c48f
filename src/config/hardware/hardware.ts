import { resolve } from 'node:path';
import { nearest, quote } from '../../base/text.ts';
import { BOOT_VALUES, FIRMWARE_VALUES, MEMORY_RANGE, SWITCH_VALUES } from '../keys/values.ts';
import { keySpec } from '../keys.ts';
import { suggest } from '../text/issues.ts';
import { meantWord } from '../text/meant.ts';
import { parseOptionList, readChoice, readInteger, renderOptionList, type ValueContext } from '../text/option-list.ts';
import { parseSize, parseUuid, renderSize } from '../text/values.ts';
import type { BootDevice } from '../types.ts';

/** Reads `RAM=` to bytes. */
export function parseMemory(text: string, { key, report }: ValueContext): number | undefined {
  const bytes = parseSize(text);
  const { min, max } = MEMORY_RANGE;
  if (bytes !== undefined && bytes >= min && bytes <= max) return bytes;
  const range = `${renderSize(min)} to ${renderSize(max)}, such as 512M or 2G`;
  report(`${key} must be ${range}, not ${quote(text)}`);
  return undefined;
}

/** Levels of `-smp` (qemu-system(1)); `drawers` and `books` are of s390x, `modules` and `clusters` newer than others. */
const SMP_LEVELS = ['drawers', 'books', 'sockets', 'dies', 'clusters', 'modules', 'cores', 'threads'];

/**
 * Reads `SMP=`: a number, or a list of counts. Given back as QEMU takes it.
 *
 * @param room processors that MAXSMP has room for: levels are those of all of them.
 */
export function parseSmp(text: string, { key, report }: ValueContext, room?: number): string | undefined {
  const known = ['cpus', 'maxcpus', ...SMP_LEVELS];
  const counts = new Map<string, number>();
  for (const [position, part] of text.split(',').entries()) {
    const equals = part.indexOf('=');
    const given = equals < 0 ? undefined : part.slice(0, equals).trim();
    const value = part.slice(equals + 1).trim();
    const name = given ?? (position === 0 ? 'cpus' : value);
    if (!known.includes(name)) {
      report(`${key} has an unknown option ${quote(name)}; known options: ${known.join(', ')}`, {
        hint: suggest(nearest(name, known)),
      });
      return undefined;
    }
    if (counts.has(name)) {
      report(`${key} has "${name}=" twice`);
      return undefined;
    }
    const count = readInteger(given === undefined ? key : `${key} ${name}`, value, keySpec('SMP'), report);
    if (count === undefined) return undefined;
    counts.set(name, count);
  }
  const product = SMP_LEVELS.reduce((total, level) => total * (counts.get(level) ?? 1), 1);
  // QEMU would begin with all that there is room for.
  if (room !== undefined && !counts.has('cpus')) counts.set('cpus', Math.min(product, room));
  return checkTopology(text, counts, product, room, { key, report });
}

/** QEMU refuses more CPUs than there can be, and levels that do not multiply to the number of CPUs. */
function checkTopology(
  text: string,
  counts: ReadonlyMap<string, number>,
  product: number,
  room: number | undefined,
  { key, report }: Pick<ValueContext, 'key' | 'report'>,
): string | undefined {
  const cpus = counts.get('cpus');
  const limit = counts.get('maxcpus');
  const most = limit ?? room ?? cpus;
  if (cpus !== undefined && limit !== undefined && cpus > limit) {
    report(`${key} ${quote(text)} has more cpus (${cpus}) than maxcpus (${limit})`);
    return undefined;
  }
  const isComplete = ['sockets', 'cores', 'threads'].every((level) => counts.has(level));
  const isRoom = limit === undefined && room !== undefined;
  const all = isRoom ? `${most} (MAXSMP)` : String(most);
  if (isComplete && most !== undefined && product !== most) {
    report(`${key} ${quote(text)} has levels for ${product} processors, not ${all}`);
    return undefined;
  }
  // QEMU works out the levels that are left out, which then must come out even.
  if (!isComplete && most !== undefined && most % product !== 0) {
    const given = SMP_LEVELS.filter((level) => counts.has(level)).map((level) => `${level}=${counts.get(level)}`);
    report(
      `${key} ${quote(text)}: ${isRoom ? `the ${room} processors of MAXSMP` : `${most} processors`} cannot be divided by ${given.join(', ')}`,
    );
    return undefined;
  }
  const [first] = counts.values();
  if (counts.size === 1 && cpus !== undefined) return String(first);
  return [...counts].map(([name, count]) => `${name}=${count}`).join(',');
}

/** Processors that there can be: `maxcpus`, else `cpus`, else what the levels make. */
export function processorsOf(smp: string): number {
  const counts = new Map(
    smp.split(',').map((part): [string, number] => {
      const [name = '', value] = part.split('=');
      return value === undefined ? ['cpus', Number(name)] : [name, Number(value)];
    }),
  );
  const levels = [...counts].filter(([name]) => name !== 'cpus' && name !== 'maxcpus').map(([, count]) => count);
  return counts.get('maxcpus') ?? counts.get('cpus') ?? levels.reduce((product, count) => product * count, 1);
}

/** `FIRMWARE=`: one of the words or an absolute path, and the path of variables to begin with. */
export interface Firmware {
  readonly image: string;
  readonly variables: string | undefined;
}

/** Reads `FIRMWARE=`. */
export function parseFirmware(text: string, context: ValueContext): Firmware | undefined {
  const list = parseOptionList(text, keySpec('FIRMWARE').options ?? [], 'file', context);
  const image = readImage(list.head.trim(), context);
  const variables = list.get('vars');
  if (image === 'bios' && variables !== undefined) context.report(`${context.key} "bios" has no variables`);
  return image === undefined
    ? undefined
    : { image, variables: variables === undefined ? undefined : resolve(context.dir, variables) };
}

/** Writes a firmware as {@link parseFirmware} reads it. */
export function renderFirmware(image: string, variables: string | undefined): string {
  return renderOptionList(image, [['vars', variables]]);
}

function readImage(text: string, { key, dir, report }: ValueContext): string | undefined {
  const word = FIRMWARE_VALUES.find((value) => value === text.toLowerCase());
  if (word !== undefined) return word;
  if (/[/.]/.test(text)) return resolve(dir, text);
  report(`${key} must be ${FIRMWARE_VALUES.join(', ')} or the path of an image, not ${quote(text)}`, {
    hint: suggest(meantWord(text, FIRMWARE_VALUES)) ?? 'write "./" before a file name without a dot',
  });
  return undefined;
}

/** Reads `VMGENID=`: a word or a UUID. */
export function parseVmGenerationId(text: string, { key, report }: ValueContext): string | undefined {
  return parseUuid(text) ?? readChoice(key, text, SWITCH_VALUES, report);
}

/** Reads `BOOT=`. */
export function parseBootDevices(text: string, { key, report }: ValueContext): readonly BootDevice[] | undefined {
  const devices: BootDevice[] = [];
  for (const word of text.split(',')) {
    const device = readChoice(key, word.trim(), BOOT_VALUES, report);
    if (device === undefined) return undefined;
    if (devices.includes(device)) {
      report(`${key} has "${device}" twice`);
      return undefined;
    }
    devices.push(device);
  }
  return devices;
}

/** Board when MACHINE is not set: one with PCI where the target has it, else the usual one. Every other target has `q35`. */
export function defaultBoard(targetArch: string): string {
  const target = /qemu-system-([a-z0-9_]+)$/.exec(targetArch)?.[1] ?? '';
  return BOARDS[target] ?? keySpec('MACHINE').default;
}

const BOARDS: Readonly<Record<string, string>> = {
  aarch64: 'virt',
  alpha: 'clipper',
  arm: 'virt',
  hppa: 'hppa',
  loongarch64: 'virt',
  m68k: 'virt',
  mips: 'malta',
  mips64: 'malta',
  mips64el: 'malta',
  mipsel: 'malta',
  or1k: 'virt',
  ppc: 'g3beige',
  ppc64: 'pseries',
  ppc64le: 'pseries',
  riscv32: 'virt',
  riscv64: 'virt',
  s390x: 's390-ccw-virtio',
  sparc: 'SS-5',
  sparc64: 'sun4u',
  xtensa: 'virt',
  xtensaeb: 'virt',
};

/** Why a text is not a machine type for `-machine`; undefined if it is one. */
export function checkMachineType(text: string): string | undefined {
  return /^[A-Za-z0-9][A-Za-z0-9_.+-]*(?:,[A-Za-z][A-Za-z0-9_-]*=[^,\s]+)*$/.test(text)
    ? undefined
    : 'is not a machine type such as q35, pc-q35-7.2 or q35,hpet=off';
}

/** Why a text is not a processor model for `-cpu`; undefined if it is one. */
export function checkCpu(text: string): string | undefined {
  return /^[A-Za-z0-9][^\s]*$/.test(text) ? undefined : 'is not a processor model such as host, max or qemu64,+aes';
}

/** Reads `TGTARCH=`: a name to be looked for in PATH, or an absolute path. */
export function parseProgram(text: string, { key, dir, report }: ValueContext): string | undefined {
  if (text.includes('/')) return resolve(dir, text);
  if (/^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/.test(text)) return text;
  report(`${key} must be a program name such as qemu-system-x86_64, or a path, not ${quote(text)}`);
  return undefined;
}

/** Why a text is not a user for `RUNAS`; undefined when it is one. See useradd(8). */
export function checkUser(text: string): string | undefined {
  if (/^(?:root|0+)$/.test(text)) return 'would give QEMU all rights of root; name an unprivileged user';
  return /^(?:[A-Za-z_][A-Za-z0-9_.-]{0,31}|\d{1,10})$/.test(text)
    ? undefined
    : 'is not a user; it must be auto, a name or a number';
}
