import type { Argv } from 'yargs';
import type { Run } from '../run/run-tool.ts';

/** Groups of actions, in the order of the help text. */
export const GROUPS = ['Life', 'Look', 'Disks', 'Guest', 'Configure', 'Host'] as const;

/** What actions and their verbs have in common. Their code is loaded when they are called. */
export interface Verb {
  /** In the syntax of yargs: `start [ids..]`. */
  readonly command: string;
  readonly describe: string;
  readonly options?: (parser: Argv<object>) => Argv<object>;
  /** What its word `command` may be, by name: `ping` of `agent web ping`. */
  readonly commands?: Readonly<Record<string, { readonly words: string; readonly describe: string }>>;
  /** Whether a program's words may follow `--`; they are not parsed, and are the argument `program`. */
  readonly takesProgram?: boolean;
  /** What follows the action on the command line, and what that call is for. */
  readonly examples?: readonly (readonly [words: string, text: string])[];
  readonly load: () => Promise<{ readonly run: Run }>;
}

/** One action of qemu-init, or a noun with verbs. */
export interface Action extends Omit<Verb, 'load'> {
  readonly group: (typeof GROUPS)[number];
  /** Words that may follow this one: `jobs cancel`. */
  readonly verbs?: readonly Verb[];
  /** Missing for a noun that needs a verb. */
  readonly load?: () => Promise<{ readonly run: Run }>;
}

/** First word of a command in the syntax of yargs: the name of the action or verb. */
export function nameOf({ command }: Pick<Verb, 'command'>): string {
  return command.split(' ')[0] ?? '';
}
