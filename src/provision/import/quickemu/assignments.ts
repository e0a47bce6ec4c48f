import { splitWords } from '../../../config/text/shell-words.ts';

/** A variable as a configuration of quickemu sets it. */
export interface Variable {
  readonly name: string;
  readonly words: readonly string[];
  readonly line: number;
}

/** `NAME=value`, `NAME="value"`, `NAME='value'` or `NAME=(words)`; otherwise why it is none. */
export function parseAssignment(line: string, number: number): Variable | string {
  const [, name, written = ''] = /^([A-Za-z_]\w*)=(.*)$/.exec(line) ?? [];
  if (name === undefined) return 'not a plain assignment; nothing is executed';
  const value = written.startsWith('(') && written.endsWith(')') ? written.slice(1, -1) : written;
  // What a shell would expand or run, outside single quotes.
  if (/[$`]/.test(value.replaceAll(/'[^']*'/g, '')))
    return 'has "$" or a backtick, and nothing is executed or expanded';
  if (/[;&|<>()]/.test(value.replaceAll(/'[^']*'|"[^"]*"/g, ''))) return 'has a command, and nothing is executed';
  let words: string[];
  try {
    words = splitWords(value);
  } catch {
    return 'the quotes do not match';
  }
  // A comment after the value.
  const comment = words.findIndex((word, position) => position > 0 && word.startsWith('#'));
  if (comment > 0) words = words.slice(0, comment);
  if (words.length > 1 && !written.startsWith('(')) return 'has a command after the value, and nothing is executed';
  return { name, words, line: number };
}

/** Its value; undefined when it is not set, or empty. */
export function textOf(variables: ReadonlyMap<string, Variable>, name: string): string | undefined {
  const value = variables.get(name)?.words.join(' ');
  return value === '' ? undefined : value;
}
