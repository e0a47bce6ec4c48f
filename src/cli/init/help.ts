import { addCommonOptions } from '../run/options.ts';
import { type Action, GROUPS, nameOf, type Verb } from './action.ts';
import { ACTIONS } from './actions.ts';
import { type OptionSpec, positionals, recordTable, valueWord } from './option-table.ts';

/** A term and its explanation. */
type Entry = readonly [term: string, text: string];

/** Columns by which the terms of a list are indented. */
const INDENT = 2;
/** Longer terms have their text on the next line. */
const LONGEST_TERM = 26;

/** The help for all of qemu-init, in lines of at most `width` characters. Pure. */
export function helpOnAll(width: number): string {
  const groups = GROUPS.map((group) => {
    const actions = ACTIONS.filter((action) => action.group === group);
    return list(
      group,
      actions.map((action) => [nameOf(action), action.describe]),
      width,
    );
  });
  return sections([
    'qemu-init ACTION [ID...] [options]',
    'Starts, stops and manages QEMU machines.',
    ...groups,
    ...commonOptions(width),
    'One action: qemu-init help ACTION. Manual: qemu-init(8), qemu.cfg(5)',
  ]);
}

/** The help for one action or one of its verbs, its own options first. Pure. */
export function helpOnAction(action: Action, verb: Verb | undefined, width: number): string {
  const subject = verb ?? action;
  const words = verb ? `${nameOf(action)} ${nameOf(verb)}` : nameOf(action);
  const table = recordTable(subject.options ?? ((parser) => parser));
  const names = positionals(subject.command);
  const own = [...table.options.map(optionEntry), HELP];
  const verbs = verb ? [] : (action.verbs ?? []);
  return sections([
    fill(`qemu-init ${words}${names.map(positionalWord).join('')} [options]`, 0, width),
    fill(`${subject.describe}.`, 0, width),
    list(
      'Words',
      names.flatMap(({ key, name }): Entry[] => (table.positionals[key] ? [[name, table.positionals[key]]] : [])),
      width,
    ),
    list(
      'Verbs',
      verbs.map((each) => [`${nameOf(each)}${positionals(each.command).map(positionalWord).join('')}`, each.describe]),
      width,
    ),
    list('Commands', Object.entries(subject.commands ?? {}).map(commandEntry), width),
    list('Options', own, width),
    list(
      'Examples',
      (subject.examples ?? []).map(([rest, text]) => [`qemu-init ${words} ${rest}`, text]),
      width,
    ),
    ...commonOptions(width),
  ]);
}

function commandEntry([name, { words, describe }]: readonly [string, { words: string; describe: string }]): Entry {
  return [words === '' ? name : `${name} ${words}`, describe];
}

const HELP: Entry = ['-h, --help', 'Show this help'];

function commonOptions(width: number): string[] {
  const { options } = recordTable(addCommonOptions);
  return ['Output', 'Scope'].map((group) =>
    list(group, options.filter((option) => option.group === `${group}:`).map(optionEntry), width),
  );
}

function optionEntry(option: OptionSpec): Entry {
  const { name, alias, requiresArg, describe, default: value } = option;
  const term = `${alias === undefined ? '' : `-${alias}, `}--${name}${requiresArg === true ? ` ${valueWord(option)}` : ''}`;
  const shown = value === undefined || typeof value === 'boolean' ? '' : ` (default: ${[value].flat().join(', ')})`;
  return [term, `${describe}${shown}`];
}

function positionalWord({ name, isList, isNeeded }: ReturnType<typeof positionals>[number]): string {
  const word = isList ? `${name}...` : name;
  return isNeeded ? ` ${word}` : ` [${word}]`;
}

function sections(parts: readonly string[]): string {
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function list(title: string, entries: readonly Entry[], width: number): string {
  if (entries.length === 0) return '';
  const terms = entries.map(([term]) => term.length).filter((length) => length <= LONGEST_TERM);
  const column = INDENT + Math.max(0, ...terms) + 2;
  const lines = entries.map(([term, text]) => {
    const lead = `${' '.repeat(INDENT)}${term}`;
    const isLong = lead.length + 2 > column;
    return `${isLong ? `${lead}\n${' '.repeat(column)}` : lead.padEnd(column)}${fill(text, column, width)}`;
  });
  return [`${title}:`, ...lines].join('\n');
}

/** Breaks a text between words. Its first line begins at a column, and so do the others. */
function fill(text: string, column: number, width: number): string {
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
