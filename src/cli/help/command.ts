import type { Argv } from 'yargs';
import type { Run } from '../run/run-tool.ts';
import { commonOptions, type Entry, fill, HELP_OPTION, list, optionEntry, positionalWord, sections } from './layout.ts';
import { positionals, recordTable } from './option-table.ts';

/** What the commands of a tool, and their verbs, have in common. Their code is loaded when they are called. */
export interface Verb {
  /** In the syntax of yargs: `start [ids..]`. */
  readonly command: string;
  readonly describe: string;
  readonly options?: (parser: Argv<object>) => Argv<object>;
  /** What its word `command` may be, by name: `ping` of `agent web ping`. */
  readonly commands?: Readonly<Record<string, { readonly words: string; readonly describe: string }>>;
  /** Whether a program's words may follow `--`; they are not parsed, and are the argument `program`. */
  readonly takesProgram?: boolean;
  /**
   * Whether what killed commands left of work on machines is set right before the call. Actions on chosen machines do that
   * themselves.
   */
  readonly settlesFirst?: true;
  /** What follows the action on the command line, and what that call is for. */
  readonly examples?: readonly (readonly [words: string, text: string])[];
  readonly load: () => Promise<{ readonly run: Run }>;
}

/** A command of a tool, or a noun with verbs. */
export interface Command extends Omit<Verb, 'load'> {
  /** Words that may follow this one: `jobs cancel`. */
  readonly verbs?: readonly Verb[];
  /** Missing for a noun that needs a verb. */
  readonly load?: () => Promise<{ readonly run: Run }>;
}

/** First word of a command in the syntax of yargs: its name. */
export function nameOf({ command }: Pick<Verb, 'command'>): string {
  return command.split(' ')[0] ?? '';
}

/**
 * The help for one command of a tool or one of its verbs, its own options first, in lines of at most `width` characters.
 * Pure.
 */
export function helpOnCommand(tool: string, command: Command, verb: Verb | undefined, width: number): string {
  const subject = verb ?? command;
  const call = [tool, command, verb].flatMap((each) => (typeof each === 'object' ? [nameOf(each)] : (each ?? [])));
  const words = call.join(' ');
  const table = recordTable(subject.options ?? ((parser) => parser));
  const names = positionals(subject.command);
  const verbs = verb ? [] : (command.verbs ?? []);
  const needsVerb = verbs.length > 0 && command.load === undefined;
  return sections([
    fill(`${words}${needsVerb ? ' VERB' : ''}${names.map(positionalWord).join('')} [options]`, 0, width),
    fill(`${subject.describe}.`, 0, width),
    list(
      'Words',
      names.flatMap(({ key, name }): Entry[] => (table.positionals[key] ? [[name, table.positionals[key]]] : [])),
      width,
    ),
    list('Verbs', verbs.map(verbEntry), width),
    list('Commands', Object.entries(subject.commands ?? {}).map(wordEntry), width),
    list('Options', [...table.options.map(optionEntry), HELP_OPTION], width),
    list(
      'Examples',
      (subject.examples ?? []).map(([rest, text]) => [`${words} ${rest}`, text]),
      width,
    ),
    ...commonOptions(width),
  ]);
}

/** A command with its words, as in a list of them. */
export function verbEntry(verb: Pick<Verb, 'command' | 'describe'>): Entry {
  return [`${nameOf(verb)}${positionals(verb.command).map(positionalWord).join('')}`, verb.describe];
}

function wordEntry([name, { words, describe }]: readonly [string, { words: string; describe: string }]): Entry {
  return [words === '' ? name : `${name} ${words}`, describe];
}
