import type { Problem } from '../base/problem.ts';
import { nearest, quote } from '../base/text.ts';
import type { KeySpec } from './keys/key-spec.ts';
import { findKey, KEYS, type KeyName, keySpec, stemOf } from './keys.ts';
import type { IniEntry } from './text/ini.ts';
import { type Hint, hintOf, suggest } from './text/issues.ts';
import type { Origin } from './types.ts';

/** The entries of one file, from whatever format. */
export interface Source {
  readonly path: string;
  readonly entries: readonly IniEntry[];
  /** `defaults-qemu.cfg`, where some keys are not allowed. */
  readonly isDefaults: boolean;
}

/** One key that is set, in the file that has the last word on it. */
export interface Setting {
  /** As written: `RAM`, `DSK1`. */
  readonly key: string;
  /** Never empty. */
  readonly value: string;
  readonly origin: Origin;
  readonly inDefaults: boolean;
}

export interface Settings {
  get(name: KeyName): Setting | undefined;
  /** The members of a family by number, ascending. */
  family(name: KeyName): readonly { readonly index: number; readonly setting: Setting }[];
  /** Where each key is set. */
  readonly origins: ReadonlyMap<string, Origin>;
}

/** Characters; of a longer key only these are looked at for one that was meant. */
const LONGEST_KEY = 64;

/**
 * Puts the machine's file over the defaults, key by key; of a family number by number. An empty value takes the key
 * back to its own default. Reports keys that are unknown or out of place, and gaps in the numbering.
 *
 * @param sources the weakest first.
 * @param allowGaps of a machine that runs any disk or card may be unplugged, not only the last one.
 */
export function mergeSettings(sources: readonly Source[], issues: Problem[], allowGaps = false): Settings {
  const settings = new Map<string, Setting>();
  for (const source of sources) {
    for (const { key, value, line } of source.entries) {
      const origin = { file: source.path, line };
      const spec = checkKey(key, source.isDefaults, (message, hint) => {
        issues.push({ ...origin, key, message, severity: 'error', hint: hintOf(hint, issues) });
      });
      if (!spec) continue;
      if (value === '') settings.delete(key);
      else settings.set(key, { key, value, origin, inDefaults: source.isDefaults });
    }
  }
  // A line with another fault fills its number all the same.
  const faulty = new Set(issues.map(({ key }) => key));
  for (const spec of KEYS) {
    if (spec.family && !allowGaps) checkGaps(stemOf(spec), membersOf(settings, spec), faulty, issues);
  }
  return {
    get: (name) => settings.get(name),
    family: (name) => membersOf(settings, keySpec(name)),
    origins: new Map([...settings].map(([key, { origin }]) => [key, origin])),
  };
}

/** What others have for options of QEMU that no key of ours makes. */
const FOR_CUSTOM: ReadonlySet<string> = new Set([
  'ARGS',
  'BHYVE_OPTIONS',
  'EXTRA',
  'EXTRA_ARGS',
  'OPTIONS',
  'OPTS',
  'QEMUOPTS',
  'QEMU_OPTS',
  'SPICE',
]);
const CUSTOM_HINT = 'write QEMU options below a line [custom], as on its command line';

function checkKey(
  key: string,
  inDefaults: boolean,
  report: (message: string, hint?: Hint) => void,
): KeySpec | undefined {
  const spec = findKey(key);
  if (!spec) {
    report(`Unknown key ${quote(key)}`, () =>
      FOR_CUSTOM.has(key.toUpperCase()) ? CUSTOM_HINT : suggest(nearestKey(key)),
    );
    return undefined;
  }
  if (inDefaults && spec.inDefaults === false) {
    report(`${key} cannot be set for all machines`, "set it in the machine's own file");
    return undefined;
  }
  return spec.family && !isNumberOf(spec, key.slice(stemOf(spec).length), report) ? undefined : spec;
}

function isNumberOf(spec: KeySpec, digits: string, report: (message: string, hint?: string) => void): boolean {
  const most = spec.max ?? 1;
  const stem = stemOf(spec);
  if (digits.startsWith('0')) {
    const near = Number(digits) === 0 ? 1 : Number(digits);
    report(`"${stem}${digits}" has a wrong number: numbers start at 1`, suggest(`${stem}${near}`));
    return false;
  }
  if (digits.length > 3 || Number(digits) > most) {
    report(`${quote(stem + digits)} is too high; it must be ${stem}1 to ${stem}${most}`);
    return false;
  }
  return true;
}

/** The key that was meant, by spelling or by another name for it; the number of a family is kept. */
function nearestKey(key: string): string | undefined {
  const upper = key.slice(0, LONGEST_KEY).toUpperCase();
  const digits = digitsOf(upper);
  return (
    otherKey(upper) ??
    nearest(
      upper,
      KEYS.map((spec) => written(spec, digits)),
    )
  );
}

/** The key that other programs call by that name, with its number; undefined for any other word. */
export function otherKey(word: string): string | undefined {
  const upper = word.slice(0, LONGEST_KEY).toUpperCase();
  const digits = digitsOf(upper);
  const stem = upper.slice(0, upper.length - digits.length);
  const named = KEYS.find(({ otherNames }) => otherNames?.includes(upper) || otherNames?.includes(stem));
  return named && written(named, digits);
}

function digitsOf(key: string): string {
  return /\d*$/.exec(key)?.[0] ?? '';
}

function written(spec: KeySpec, digits: string): string {
  return spec.family ? `${stemOf(spec)}${Number(digits) || 1}` : spec.name;
}

function membersOf(
  settings: ReadonlyMap<string, Setting>,
  spec: KeySpec,
): { readonly index: number; readonly setting: Setting }[] {
  return [...settings.values()]
    .filter(({ key }) => findKey(key) === spec)
    .map((setting) => ({ index: Number(setting.key.slice(stemOf(spec).length)), setting }))
    .toSorted((a, b) => a.index - b.index);
}

function checkGaps(
  stem: string,
  members: readonly { readonly index: number; readonly setting: Setting }[],
  faulty: ReadonlySet<string | undefined>,
  issues: Problem[],
): void {
  let expected = 1;
  for (const { index, setting } of members) {
    while (expected < index && faulty.has(`${stem}${expected}`)) expected += 1;
    if (index > expected) {
      const missing = index - expected > 1 ? `${stem}${expected} to ${stem}${index - 1}` : `${stem}${expected}`;
      issues.push({
        ...setting.origin,
        key: setting.key,
        message: `"${setting.key}" is set but ${missing} is not; numbers must be consecutive from 1`,
        severity: 'error',
        hint: `rename it to ${stem}${expected}, or add ${missing}`,
      });
    }
    expected = index + 1;
  }
}
