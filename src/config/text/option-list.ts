import { anyOf, quote, quoteComma } from '../../base/text.ts';
import type { OptionSpec } from '../keys/key-spec.ts';
import { type Report, suggest } from './issues.ts';
import { meantWord } from './meant.ts';
import { parseBoolean, parseInteger, parseSize } from './values.ts';

/** What a value parser knows of the place of the value. */
export interface ValueContext {
  /** Key as written, for messages: `DSK1`. */
  readonly key: string;
  /** Folder that relative paths start from. */
  readonly dir: string;
  readonly inDefaults: boolean;
  readonly report: Report;
}

/** `head,name=value,name=value`. */
export interface OptionList {
  readonly head: string;
  /** The value of an option, canonical: `on` for `yes`. */
  get(name: string): string | undefined;
  /** The value of an option that is a whole number. */
  integer(name: string): number | undefined;
  /** All values of an option that may be repeated. */
  all(name: string): readonly string[];
}

/**
 * Splits a comma list and checks its options; problems are reported, and what is wrong is left out. A doubled comma is
 * a comma of the text, as in QEMU (qemu-system(1), "-drive").
 *
 * @param headIs `file`: commas that no option follows belong to the head, so that `my,disk.img` is one file name;
 *   `word`: every single comma ends the head.
 */
export function parseOptionList(
  text: string,
  specs: readonly OptionSpec[],
  headIs: 'file' | 'word',
  context: ValueContext,
): OptionList {
  const [first = '', ...segments] = splitAtCommas(text);
  let head = first;
  let inHead = true;
  const values = new Map<string, string[]>();
  for (const segment of segments) {
    const [, name, value] = /^[ \t]*([A-Za-z][A-Za-z0-9_-]*)[ \t]*=(.*)$/s.exec(segment) ?? [];
    if (name !== undefined && value !== undefined) {
      inHead = false;
      addOption(name, value.trim(), specs, values, headIs, context);
    } else if (inHead && headIs === 'file' && !isOptionName(segment, specs)) {
      head += `,${segment}`;
    } else {
      inHead = false;
      const word = segment.trim();
      if (specs.some(({ name, bare }) => bare && name === word)) addOption(word, 'on', specs, values, headIs, context);
      else reportBareWord(word, specs, context);
    }
  }
  const get = (name: string): string | undefined => values.get(name)?.[0];
  return { head, get, integer: (name) => parseInteger(get(name) ?? ''), all: (name) => values.get(name) ?? [] };
}

/** The option `rate=`, in bytes a second, when it is there. A value that is none is reported. */
export function rateOf(list: OptionList, { key, report }: ValueContext): { readonly rate?: number } {
  const text = list.get('rate');
  if (text === undefined) return {};
  const rate = parseSize(text);
  if (rate !== undefined && rate >= LEAST_RATE) return { rate };
  report(`${key} rate must be a number of bytes a second from 64K, such as 50M, not ${quote(text)}`);
  return {};
}

/** With less hardly one packet, or one request of a disk, would pass in a second. */
const LEAST_RATE = 64 * 1024;

/** Writes a comma list; options without a value are left out. */
export function renderOptionList(head: string, options: readonly (readonly [string, string | undefined])[]): string {
  const written = options.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quoteComma(value)}`]));
  return [quoteComma(head), ...written].join(',');
}

function splitAtCommas(text: string): string[] {
  const segments = [''];
  for (const [piece] of text.matchAll(/,,|,|[^,]+/g)) {
    if (piece === ',') segments.push('');
    else segments[segments.length - 1] += piece === ',,' ? ',' : piece;
  }
  return segments;
}

function isOptionName(segment: string, specs: readonly OptionSpec[]): boolean {
  return specs.some(({ name }) => name === segment.trim());
}

function addOption(
  name: string,
  text: string,
  specs: readonly OptionSpec[],
  values: Map<string, string[]>,
  headIs: 'file' | 'word',
  context: ValueContext,
): void {
  const { key, inDefaults, report } = context;
  const spec = specs.find((known) => known.name === name);
  const before = values.get(name);
  if (!spec) {
    const names = specs.map((known) => known.name);
    const otherwise = headIs === 'file' ? 'write a comma in the file name twice' : undefined;
    report(`${key} has an unknown option ${quote(`${name}=`)}; ${known(specs)}`, {
      hint: () => suggest(meantWord(name, names)) ?? otherwise,
    });
  } else if (before && !spec.repeated) {
    report(`${key} has "${name}=" twice`);
  } else if (inDefaults && spec.inDefaults === false) {
    report(`${key} ${name} cannot be set for all machines`, { hint: "set it in the machine's own file" });
  } else {
    const value = readOption(spec, text, context);
    if (value === undefined) return;
    values.set(name, [...(before ?? []), value]);
  }
}

function known(specs: readonly OptionSpec[]): string {
  return specs.length === 0 ? 'it has no options' : `known options: ${specs.map(({ name }) => name).join(', ')}`;
}

function reportBareWord(word: string, specs: readonly OptionSpec[], { key, report }: ValueContext): void {
  const spec = specs.find(({ name }) => name === word);
  const owner = specs.find(({ values }) => values?.includes(word) && parseBoolean(word) === undefined);
  const hint = spec?.type === 'switch' ? `write ${word}=on` : owner && `write ${owner.name}=${word}`;
  report(`${key} has ${quote(word)} where option=value is expected`, {
    hint: hint ?? 'write a comma in a value twice',
  });
}

function readOption(spec: OptionSpec, text: string, { key, report }: ValueContext): string | undefined {
  const label = `${key} ${spec.name}`;
  if (text === '') {
    report(`${label} has no value`);
    return undefined;
  }
  switch (spec.type) {
    case 'text':
      return text;
    case 'switch':
    case 'choice':
      return readChoice(label, text, spec.values ?? [], report);
    case 'integer':
      return readInteger(label, text, spec, report)?.toString();
    default:
      return spec.type satisfies never;
  }
}

/** One of the words, in any case; on and off also as yes, no, true, false, 1 and 0 where both are allowed. */
export function readChoice<T extends string>(
  label: string,
  text: string,
  values: readonly T[],
  report: Report,
): T | undefined {
  const lower = text.toLowerCase();
  const exact = values.find((value) => value.toLowerCase() === lower);
  if (exact !== undefined) return exact;
  const isSwitch = parseBoolean(lower);
  const word = isSwitch === undefined ? undefined : values.find((value) => value === (isSwitch ? 'on' : 'off'));
  if (word !== undefined) return word;
  report(`${label} must be ${anyOf(values)}, not ${quote(text)}`, {
    hint: () => suggest(meantWord(lower, values)),
  });
  return undefined;
}

/** Seconds of a word that other programs take for a time, such as systemd.time(7). */
function secondsHint(
  text: string,
  { min = 0, max = 0 }: { readonly min?: number; readonly max?: number },
): string | undefined {
  const [, digits = '', unit = ''] = /^(\d{1,6})[ \t]*(s|secs?|seconds?|m|mins?|minutes?|h|hours?)$/i.exec(text) ?? [];
  const seconds = Number(digits) * ({ m: 60, h: 3_600 }[unit.charAt(0).toLowerCase()] ?? 1);
  return digits !== '' && seconds >= min && seconds <= max ? `the value is in seconds: ${seconds}` : undefined;
}

/** A whole number within the range. */
export function readInteger(
  label: string,
  text: string,
  range: { readonly min?: number; readonly max?: number },
  report: Report,
): number | undefined {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = range;
  const number = parseInteger(text);
  if (number !== undefined && number >= min && number <= max) return number;
  report(`${label} must be a whole number from ${min} to ${max}, not ${quote(text)}`, {
    hint: secondsHint(text, range),
  });
  return undefined;
}
