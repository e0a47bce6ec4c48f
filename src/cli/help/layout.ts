import { addCommonOptions } from '../run/options.ts';
import { type OptionSpec, type Positional, recordTable, valueWord } from './option-table.ts';

/** A term and its explanation. */
export type Entry = readonly [term: string, text: string];

/** Columns by which the terms of a list are indented. */
const INDENT = 2;
/** Longer terms have their text on the next line. */
const LONGEST_TERM = 26;
/** Wider lines are hard to read. */
const MOST_WIDTH = 100;

/** How wide the help is on a terminal with so many columns, and elsewhere. */
export function helpWidth(columns: number | undefined): number {
  return Math.min(MOST_WIDTH, columns || MOST_WIDTH);
}

/** The help, of parts that are separated by an empty line; empty parts are left out. */
export function sections(parts: readonly string[]): string {
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** A list with a title; nothing when it is empty. */
export function list(title: string, entries: readonly Entry[], width: number): string {
  if (entries.length === 0) return '';
  const terms = entries.map(([term]) => term.length).filter((length) => length <= LONGEST_TERM);
  const column = INDENT + Math.max(0, ...terms) + 2;
  const lines = entries.map(([term, text]) => {
    const lead = `${' '.repeat(INDENT)}${term}`;
    if (text === '') return lead;
    const isLong = lead.length + 2 > column;
    return `${isLong ? `${lead}\n${' '.repeat(column)}` : lead.padEnd(column)}${fill(text, column, width)}`;
  });
  return [`${title}:`, ...lines].join('\n');
}

/** Breaks a text between words. Its first line begins at a column, and so do the others. */
export function fill(text: string, column: number, width: number): string {
  const most = Math.max(20, width - column);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > most) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join(`\n${' '.repeat(column)}`);
}

/** Lists of the options that every tool has. @param without names of those that do nothing here. */
export function commonOptions(width: number, without: readonly string[] = []): string[] {
  const options = recordTable(addCommonOptions).options.filter(({ name }) => !without.includes(name));
  return ['Output', 'Scope'].map((group) =>
    list(group, options.filter((option) => option.group === `${group}:`).map(optionEntry), width),
  );
}

/** An option, with its value and its default. */
export function optionEntry(option: OptionSpec): Entry {
  const { name, alias, requiresArg, describe, default: value } = option;
  const term = `${alias === undefined ? '' : `-${alias}, `}--${name}${requiresArg === true ? ` ${valueWord(option)}` : ''}`;
  const shown = value === undefined || typeof value === 'boolean' ? '' : ` (default: ${[value].flat().join(', ')})`;
  return [term, `${describe}${shown}`];
}

export const HELP_OPTION: Entry = ['-h, --help', 'Show this help'];

/** A word of a command line: `[ID...]`. */
export function positionalWord({ name, isList, isNeeded }: Positional): string {
  const word = isList ? `${name}...` : name;
  return isNeeded ? ` ${word}` : ` [${word}]`;
}
