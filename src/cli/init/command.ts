import type { Argv } from 'yargs';
import { QemuError } from '../../base/errors.ts';
import { nameOf, type Verb } from '../help/command.ts';
import { helpWidth } from '../help/layout.ts';
import { unknownVerb } from '../help/unknown-verb.ts';
import { addCommand } from '../run/add-command.ts';
import { exitCodeOf } from '../run/exit-code.ts';
import { hideDashes } from '../run/lone-dash.ts';
import { parseArguments } from '../run/parse-arguments.ts';
import { type Handle, type Run, runTool } from '../run/run-tool.ts';
import { NO_ACTION } from '../run/usage-error.ts';
import { isHelp, wordsOf } from '../run/words.ts';
import type { Action } from './action.ts';
import { ACTIONS } from './actions.ts';
import { helpInShort, helpOnAction, helpOnAll } from './help.ts';
import { unknownAction } from './unknown-action.ts';

/** `qemu-init` with the argument parser and all actions. Returns the exit status. */
export async function runCommand(words: readonly string[]): Promise<number> {
  const argv = asOptions(words);
  return runTool('qemu-init', argv, async (handle) => {
    if (words.length === 0) await handle(showActions, {});
    else if (isHelp(argv)) process.stdout.write(helpFor(argv));
    else {
      const { own, program } = withoutProgram(argv);
      const { action, verb } = called(own);
      const settles = (verb ?? action)?.settlesFirst === true;
      const pass: Handle = (run, args) =>
        handle(settles ? afterSettling(run) : run, program === undefined ? args : { ...args, program });
      await parseArguments(
        'qemu-init',
        hideDashes(own),
        (parser) => define(parser, pass, own),
        missingIn(own),
        callOf(own),
      );
    }
  });
}

function afterSettling(run: Run): Run {
  return async (context, args) => {
    const { settleBefore } = await import('./settle-before.ts');
    await settleBefore(context, args);
    return run(context, args);
  };
}

/** For the first call that many make. Its exit status is that of any other call without an action. */
async function showActions(): Promise<number> {
  process.stderr.write(helpInShort(helpWidth(process.stderr.columns)));
  return exitCodeOf(new QemuError('QEMU_USAGE', NO_ACTION));
}

/** The words of a program, which come after `--` where an action takes one, are nothing to be parsed. */
function withoutProgram(argv: readonly string[]): {
  readonly own: readonly string[];
  readonly program: readonly string[] | undefined;
} {
  const end = argv.indexOf('--');
  if (end < 0 || called(argv.slice(0, end)).action?.takesProgram !== true) return { own: argv, program: undefined };
  return { own: argv.slice(0, end), program: argv.slice(end + 1) };
}

/** `help`, `help start` and `version`, as many other programs have them, are the options of that name. */
function asOptions(words: readonly string[]): readonly string[] {
  const [first, ...rest] = words;
  if (first === 'help') return [...rest, '--help'];
  return first === 'version' || first === '-V' || (first === '-v' && rest.length === 0)
    ? ['--version', ...rest]
    : words;
}

/**
 * The help that a command line asks for. @throws {QemuError} `QEMU_USAGE` for an action or a verb that does not exist.
 */
function helpFor(argv: readonly string[]): string {
  const width = helpWidth(process.stdout.columns);
  const { action, verb } = called(argv);
  // Help on a noun lists its verbs.
  if (action === undefined || wordsOf(argv).length > 1) requireKnown(argv);
  return action ? helpOnAction(action, verb, width) : helpOnAll(width);
}

function requireKnown(argv: readonly string[]): void {
  const { action } = called(argv);
  const error = unknownAction(argv, ACTIONS.map(nameOf)) ?? (action && unknownVerb('qemu-init', argv, action));
  if (error) throw error;
}

function define(parser: Argv<object>, handle: Handle, argv: readonly string[]): Argv<object> {
  requireKnown(argv);
  for (const action of wanted(argv)) addCommand(parser, action, handle);
  return parser.demandCommand(1, NO_ACTION);
}

/** The action and the verb of a command line; undefined without one, and for one that does not exist. */
function called(argv: readonly string[]): { readonly action: Action | undefined; readonly verb: Verb | undefined } {
  const [first, second] = wordsOf(argv);
  const action = ACTIONS.find((each) => nameOf(each) === first);
  return { action, verb: action?.verbs?.find((each) => nameOf(each) === second) };
}

/** The tool with the action and the verb of a command line. */
function callOf(argv: readonly string[]): string {
  const { action, verb } = called(argv);
  return ['qemu-init', ...[action, verb].flatMap((each) => (each ? [nameOf(each)] : []))].join(' ');
}

/** Name of the first required word of the action, for the message when it is missing. */
function missingIn(argv: readonly string[]): string {
  const { action, verb } = called(argv);
  // Of `jobs cancel ID JOB` the machine is what there may be.
  const needed = [...((verb ?? action)?.command.matchAll(/<(\w+)(?:\.\.)?>/g) ?? [])].map(([, word]) => word);
  const given = wordsOf(argv).length - (verb ? 2 : 1);
  const word = needed[given] ?? needed.at(-1);
  if (word === 'dest' && action?.command.startsWith('migrate ')) return 'destination';
  return word === undefined || word === 'id' ? 'machine' : (MISSING_WORDS[word] ?? word);
}

/** What to call a missing word that its name does not describe. */
const MISSING_WORDS: Readonly<Record<string, string>> = {
  dest: 'folder of backups',
  nic: 'network card',
  keys: 'key',
  names: 'image',
  devices: 'KEY=VALUE',
  new: 'new name',
  url: 'address',
};

/** The actions that the command line names, which spares setting up the others; all of them for mistakes. */
function wanted(argv: readonly string[]): readonly Action[] {
  const named = ACTIONS.filter((action) => argv.includes(nameOf(action)));
  return named.length > 0 ? named : ACTIONS;
}
