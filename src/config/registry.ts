import { dirname, isAbsolute, resolve } from 'node:path';
import { ConfigError } from '../base/config-error.ts';
import type { Problem } from '../base/problem.ts';
import { quote } from '../base/text.ts';
import { findControlCharacter, renderQuoted, renderValue, scanLines } from './text/cfg-lines.ts';
import { insertLine } from './text/edit-text.ts';
import { type IniEntry, parseIni } from './text/ini.ts';
import { sortIssues } from './text/issues.ts';
import { isValidName, NAME_RULE } from './text/names.ts';

/** One line of `qemu-init.reg`. */
export interface RegistryEntry {
  readonly shortName: string;
  /** Name without folder. */
  readonly longName: string;
  /** Absolute folder that holds `<long>-qemu.cfg` (or `<long>.json`); undefined: looked up in etc, then state. */
  readonly dir: string | undefined;
  readonly line: number;
}

/** The machines of a registry in its order, and what is wrong in it. */
export interface Registry {
  /** Those that are without fault; of two that claim one name, the first. */
  readonly entries: RegistryEntry[];
  readonly issues: Problem[];
}

/** Reads `qemu-init.reg`: `short=long` or `short=/absolute/folder/long`. Pure; never throws. */
export function parseRegistry(text: string, path: string): Registry {
  const { entries: lines, issues: problems } = parseIni(text, path);
  const issues: Problem[] = [...problems];
  const entries: RegistryEntry[] = [];
  const owners = new Map<string, RegistryEntry>();
  for (const line of lines) {
    const entry = readEntry(line);
    const problem = 'problem' in entry ? entry : findClash(entry, owners);
    if (problem) {
      issues.push({
        file: path,
        line: line.line,
        key: line.key,
        message: problem.problem,
        severity: 'error',
        hint: problem.hint,
      });
    } else if (!('problem' in entry)) {
      entries.push(entry);
      for (const name of namesOf(entry)) owners.set(name, entry);
    }
  }
  return { entries, issues: sortIssues(issues, [path]) };
}

/**
 * Adds a machine at the end of a registry and leaves every other byte as it is. Pure.
 *
 * @param target long name, or absolute folder and long name.
 * @throws {ConfigError} when a name is wrong or taken.
 */
export function addRegistryEntry(text: string, shortName: string, target: string): string {
  const path = 'qemu-init.reg';
  const line = text.split('\n').length;
  const added = readEntry({ key: shortName, value: target, line });
  const owners = new Map(
    parseRegistry(text, path).entries.flatMap((entry) => namesOf(entry).map((name) => [name, entry])),
  );
  const clash = 'problem' in added ? undefined : findClash(added, owners);
  const problem =
    'problem' in added ? added : clash && { ...clash, hint: 'to rename that machine: qemu-init edit --registry' };
  if (problem) {
    const issue: Problem = { file: path, key: shortName, message: problem.problem, severity: 'error' };
    throw new ConfigError(`Cannot register ${quote(shortName)}`, [issue], { hint: problem.hint });
  }
  return insertLine(text, text.length, `${shortName}=${renderValue(target)}`);
}

/**
 * Takes a machine out of a registry, by its short or long name in any case, and leaves every other byte as it is. Pure.
 * The text is the same when there is no such machine.
 */
export function removeRegistryEntry(text: string, id: string): string {
  const wanted = id.toLowerCase();
  let kept = '';
  let at = 0;
  for (const line of scanLines(text)) {
    if (line.kind !== 'entry') continue;
    const { key, value } = line;
    const longName = value.slice(value.lastIndexOf('/') + 1);
    if (key.toLowerCase() !== wanted && longName.toLowerCase() !== wanted) continue;
    kept += text.slice(at, line.start);
    at = line.next;
  }
  return kept + text.slice(at);
}

/**
 * Gives a machine another long name in a registry, and the same short name if that was its long name; comments stay.
 * Pure. The text is the same when there is no such machine.
 */
export function renameRegistryEntry(text: string, longName: string, newName: string): string {
  const line = [...scanLines(text)].find(
    (each) => each.kind === 'entry' && each.value.slice(each.value.lastIndexOf('/') + 1) === longName,
  );
  if (line?.kind !== 'entry') return text;
  const { key, value } = line;
  const shortName = key === longName ? newName : key;
  const renewed = value.slice(0, value.lastIndexOf('/') + 1) + newName;
  const written = line.quoted ? renderQuoted(renewed) : renderValue(renewed);
  const head = text.slice(line.start, line.valueStart).replace(key, () => shortName);
  return text.slice(0, line.start) + head + written + text.slice(line.valueEnd);
}

interface Refusal {
  readonly problem: string;
  readonly hint?: string | undefined;
}

function readEntry({ key, value, line }: IniEntry): RegistryEntry | Refusal {
  if (!isValidName(key)) return { problem: `${quote(key)} is not a valid name; ${NAME_RULE}` };
  const control = findControlCharacter(value);
  if (control !== undefined) return { problem: `${key}: ${quote(value)} has a control character (${control})` };
  const slash = value.lastIndexOf('/');
  const longName = value.slice(slash + 1);
  if (slash >= 0 && !isAbsolute(value)) {
    return { problem: `${key}: ${quote(value)} must be a long name or an absolute path, not a relative one` };
  }
  const suffix = /(?:-qemu)?\.cfg$|\.json$/.exec(longName)?.[0];
  if (suffix !== undefined) {
    return { problem: `${key}: ${quote(longName)} is a file, not a long name`, hint: `leave out "${suffix}"` };
  }
  if (!isValidName(longName)) return { problem: `${key}: ${quote(longName)} is not a valid name; ${NAME_RULE}` };
  const dir = slash < 0 ? undefined : resolve(dirname(value));
  return { shortName: key, longName, dir, line };
}

/** Short and long names are one name space, in which case does not count. */
function namesOf({ shortName, longName }: RegistryEntry): string[] {
  return [...new Set([shortName.toLowerCase(), longName.toLowerCase()])];
}

function findClash(entry: RegistryEntry, owners: ReadonlyMap<string, RegistryEntry>): Refusal | undefined {
  for (const name of [entry.shortName, entry.longName]) {
    const owner = owners.get(name.toLowerCase());
    if (owner) {
      const owned = `${owner.shortName}=${owner.longName}`;
      return { problem: `The name ${quote(name)} is already used by ${quote(owned)} in line ${owner.line}` };
    }
  }
  return undefined;
}
