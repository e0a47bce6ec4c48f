import ini from 'ini';
import type { Problem } from '../../base/problem.ts';
import { nearest, quote } from '../../base/text.ts';
import { type CfgLine, scanLines } from './cfg-lines.ts';
import { type Hint, hintOf, suggest } from './issues.ts';

/** One `KEY=value`. */
export interface IniEntry {
  readonly key: string;
  /** Without its quotes, otherwise as written. */
  readonly value: string;
  /** From 1. */
  readonly line: number;
}

/** One line of the raw section. */
export interface IniLine {
  readonly text: string;
  readonly line: number;
}

export interface IniDocument {
  /** Entries before the first section, in order; of a key that is there twice, the first. */
  readonly entries: readonly IniEntry[];
  /** Lines of the raw section, in order. */
  readonly raw: readonly IniLine[];
  readonly issues: readonly Problem[];
}

/**
 * Parses a file of entries and at most one kind of section, whose lines are raw text.
 *
 * `ini` by itself forgets line numbers, merges repeated keys, cuts bare values at any `;` or `#` and turns `true` into a
 * boolean. So it is given each key and value in its quoted form, marked with the line number: what comes out is what
 * is in the file, with its line.
 *
 * @param path used in issues only.
 */
export function parseIni(text: string, path: string, rawSection?: string): IniDocument {
  const issues: Problem[] = [];
  const report = (line: number, message: string, hint?: Hint, key?: string): void => {
    issues.push({ file: path, line, key, message, severity: 'error', hint: hintOf(hint, issues) });
  };
  const nul = text.indexOf('\0');
  if (nul >= 0) {
    report(text.slice(0, nul).split('\n').length, 'The file has a NUL byte; it is not a text file');
    return { entries: [], raw: [], issues };
  }

  const lines = [...scanLines(text, rawSection)];
  const plain = plainEntries(lines);
  if (plain) return { entries: removeRepeated(plain, report), raw: [], issues };

  const guarded: string[] = [];
  let known = true;
  for (const line of lines) {
    if (line.kind === 'section') {
      known = line.name === rawSection;
      if (known) guarded.push(`[${line.name}]`);
      else report(line.number, `Unknown section ${quote(`[${line.name}]`)}`, () => sectionHint(line.name, rawSection));
    } else if (known && line.kind === 'bad') {
      report(line.number, line.problem, line.hint, line.key);
    } else if (known) {
      guarded.push(...guard(line));
    }
  }

  const parsed: Record<string, unknown> = ini.parse(guarded.join('\n'));
  const entries = removeRepeated(unguard(parsed), report);
  const raw = unguard(rawSection === undefined ? undefined : parsed[rawSection]);
  return { entries, raw: raw.map(({ value, line }) => ({ text: value, line })), issues };
}

/** Nothing in a key or a value that any reader of such files would change. */
const PLAIN = /^[\w/.:,@+-]*$/;

/** The entries of a file in which `ini` has nothing to decide: it takes most of the time that a registry of 200 lines does. */
function plainEntries(lines: readonly CfgLine[]): IniEntry[] | undefined {
  const entries: IniEntry[] = [];
  for (const line of lines) {
    if (line.kind === 'blank' || line.kind === 'comment') continue;
    if (line.kind !== 'entry' || !PLAIN.test(line.key) || !PLAIN.test(line.value)) return undefined;
    entries.push({ key: line.key, value: line.value, line: line.number });
  }
  return entries;
}

/** The line as `"KEY 12"="=value"`: the number keeps keys apart, the `=` keeps `true` from becoming a boolean. */
function guard(line: CfgLine): string[] {
  if (line.kind === 'entry') return [`${encode(`${line.key} ${line.number}`)}=${encode(`=${line.value}`)}`];
  if (line.kind === 'raw') return [`${encode(` ${line.number}`)}=${encode(`=${line.text}`)}`];
  return [];
}

/** A JSON string, which is what `ini` reads between double quotes, in ASCII and without a `=` inside. */
function encode(text: string): string {
  return JSON.stringify(text).replaceAll(/[^\u0020-\u007e]|=/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function unguard(section: unknown): IniEntry[] {
  if (typeof section !== 'object' || section === null) return [];
  return Object.entries(section).flatMap(([mark, value]) => {
    if (typeof value !== 'string') return [];
    const blank = mark.lastIndexOf(' ');
    return [{ key: mark.slice(0, blank), value: value.slice(1), line: Number(mark.slice(blank + 1)) }];
  });
}

function removeRepeated(
  entries: readonly IniEntry[],
  report: (line: number, message: string, hint?: Hint, key?: string) => void,
): IniEntry[] {
  const lines = new Map<string, number>();
  return entries.filter(({ key, line }) => {
    const first = lines.get(key);
    if (first === undefined) {
      lines.set(key, line);
      return true;
    }
    report(line, `${quote(key)} is set twice, on lines ${first} and ${line}`, 'keep one of them', key);
    return false;
  });
}

function sectionHint(name: string, rawSection: string | undefined): string {
  if (rawSection === undefined) return 'this file has no sections';
  return suggest(nearest(name, [rawSection]) && `[${rawSection}]`) ?? `the only section is [${rawSection}]`;
}
