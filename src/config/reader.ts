import { dirname, resolve } from 'node:path';
import type { Problem } from '../base/problem.ts';
import { quote } from '../base/text.ts';
import { type KeyName, keySpec } from './keys.ts';
import type { Setting, Settings } from './settings.ts';
import { hintOf, type Report } from './text/issues.ts';
import { readChoice, readInteger, type ValueContext } from './text/option-list.ts';
import { splitWords } from './text/shell-words.ts';

/**
 * Reads typed values from settings. A key that is absent or wrong has its default, so that reading goes on and finds
 * all problems of a file.
 */
export class SettingsReader {
  readonly #settings: Settings;
  readonly #issues: Problem[];
  readonly #baseDir: string;

  /** @param baseDir folder of the machine's file, for paths that are defaults. */
  constructor(settings: Settings, issues: Problem[], baseDir: string) {
    this.#settings = settings;
    this.#issues = issues;
    this.#baseDir = baseDir;
  }

  isSet(name: KeyName): boolean {
    return this.#settings.get(name) !== undefined;
  }

  isFromDefaults(name: KeyName): boolean {
    return this.#settings.get(name)?.inDefaults === true;
  }

  /** Text that `check` has nothing against. */
  text(name: KeyName, check?: (text: string) => string | undefined): string {
    const read = this.read(name, (text, { report }) => {
      const problem = check?.(text);
      if (problem === undefined) return text;
      report(`${name} ${quote(text)} ${problem}`);
      return undefined;
    });
    return read ?? keySpec(name).default;
  }

  switch(name: KeyName): boolean {
    const read = this.read(name, (text, { report }) => readChoice(name, text, ['on', 'off'], report));
    return (read ?? keySpec(name).default) === 'on';
  }

  choice<T extends string>(name: KeyName, values: readonly [T, ...T[]]): T {
    const read = this.read(name, (text, { report }) => readChoice(name, text, values, report));
    return read ?? values.find((value) => value === keySpec(name).default) ?? values[0];
  }

  integer(name: KeyName): number {
    const read = this.read(name, (text, { report }) => {
      return readInteger(name, text, keySpec(name), report)?.toString();
    });
    return Number(read ?? keySpec(name).default);
  }

  /** Absolute path; undefined when not set. */
  path(name: KeyName): string | undefined {
    return this.read(name, (text, { dir }) => resolve(dir, text));
  }

  /** Words of a command; its program is a path when it has a slash, else looked for in PATH. */
  command(name: KeyName): readonly string[] {
    const words = this.read(name, (text, { dir, report }) => {
      const [program, ...args] = readWords(name, text, report) ?? [];
      if (program === undefined) return undefined;
      const operator = args.find((word) => SHELL_OPERATORS.has(word));
      if (operator !== undefined) {
        const message = `${name}: "${operator}" is passed to the program as an argument: no shell is used`;
        report(message, { severity: 'warning', hint: `write ${name}="/bin/sh -c '…'", or call a script` });
      }
      return [program.includes('/') ? resolve(dir, program) : program, ...args];
    });
    return words ?? [];
  }

  /** Reads a key that is set; undefined when it is absent or wrong. */
  read<T>(name: KeyName, parse: (text: string, context: ValueContext) => T | undefined): T | undefined {
    const setting = this.#settings.get(name);
    return setting && this.#parse(setting, parse);
  }

  /** Reads the members of a family, in order. */
  family<T>(stem: KeyName, parse: (text: string, index: number, context: ValueContext) => T | undefined): T[] {
    return this.#settings.family(stem).flatMap(({ index, setting }) => {
      const read = this.#parse(setting, (text, context) => parse(text, index, context));
      return read === undefined ? [] : [read];
    });
  }

  /** Reports a problem of a key that is set, at its line. */
  report(key: string, message: string, hint?: string): void {
    const origin = this.#settings.origins.get(key);
    if (origin) this.#issues.push({ ...origin, key, message, severity: 'error', hint });
  }

  #parse<T>(setting: Setting, parse: (text: string, context: ValueContext) => T | undefined) {
    const { key, value, origin, inDefaults } = setting;
    const report: Report = (message, { hint, severity = 'error' } = {}) => {
      this.#issues.push({ ...origin, key, message, severity, hint: hintOf(hint, this.#issues) });
    };
    const dir = inDefaults ? dirname(origin.file) : this.#baseDir;
    const parsed = parse(value, { key, dir, inDefaults, report });
    return parsed;
  }
}

const SHELL_OPERATORS: ReadonlySet<string> = new Set(['&&', '||', ';', '|', '&', '>', '>>', '<', '2>&1']);

function readWords(name: string, text: string, report: Report): readonly string[] | undefined {
  try {
    return splitWords(text);
  } catch (error) {
    report(`${name} ${quote(text)} cannot be split into words`, {
      hint: error instanceof Error ? error.message : undefined,
    });
    return undefined;
  }
}
