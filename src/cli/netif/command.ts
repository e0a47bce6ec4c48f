import type { Argv } from 'yargs';
import { QemuError } from '../../base/errors.ts';
import { nearest } from '../../base/text.ts';
import { type Command, helpOnCommand, nameOf, type Verb, verbEntry } from '../help/command.ts';
import { commonOptions, helpWidth, list, sections } from '../help/layout.ts';
import { unknownVerb } from '../help/unknown-verb.ts';
import { addCommand } from '../run/add-command.ts';
import { parseArguments } from '../run/parse-arguments.ts';
import { type Handle, runTool } from '../run/run-tool.ts';
import { isHelp, wordsOf } from '../run/words.ts';
import { COMMANDS } from './commands.ts';

/** Everything that hooks do not need. Returns the exit status. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  return await runTool('qemu-netif', argv, async (handle) => {
    if (isHelp(argv)) process.stdout.write(helpFor(argv));
    else {
      const called = calledBy(argv);
      await parseArguments('qemu-netif', argv, (parser) => define(parser, handle), missingIn(called), callOf(called));
    }
  });
}

interface Called {
  readonly command: Command | undefined;
  readonly verb: Verb | undefined;
}

/** The command that a command line names, and its verb. @throws {QemuError} `QEMU_USAGE` for one that does not exist. */
function calledBy(argv: readonly string[]): Called {
  const [first, second] = wordsOf(argv);
  const command = COMMANDS.find((each) => nameOf(each) === first);
  if (first !== undefined && command === undefined) throw unknownCommand(first);
  const error = command && unknownVerb('qemu-netif', argv, command);
  if (error) throw error;
  return { command, verb: command?.verbs?.find((each) => nameOf(each) === second) };
}

function unknownCommand(word: string): QemuError {
  const near = nearest(word, COMMANDS.map(nameOf));
  const hint = near === undefined ? 'see: qemu-netif --help' : `did you mean "${near}"? see: qemu-netif --help`;
  return new QemuError('QEMU_USAGE', `There is no command "${word}"`, { hint });
}

function helpFor(argv: readonly string[]): string {
  const width = helpWidth(process.stdout.columns);
  const [first, ...rest] = wordsOf(argv);
  const bare = COMMANDS.find((each) => nameOf(each) === first);
  // Help on a noun lists its verbs.
  const { command, verb } = rest.length === 0 && bare ? { command: bare, verb: undefined } : calledBy(argv);
  return command ? helpOnCommand('qemu-netif', command, verb, width) : helpOnAll(width);
}

/** The help for all of qemu-netif. Pure. */
function helpOnAll(width: number): string {
  return sections([
    'qemu-netif COMMAND [options]',
    'Attaches taps to bridges, using only ip(8).',
    list('Commands', COMMANDS.map(verbEntry), width),
    ...commonOptions(width),
    'One command: qemu-netif COMMAND --help. Manual: qemu-netif(8)',
  ]);
}

function define(parser: Argv<object>, handle: Handle): Argv<object> {
  for (const command of COMMANDS) addCommand(parser, command, handle);
  return parser.demandCommand(1, `No command was given, one of: ${COMMANDS.map(nameOf).join(', ')}`);
}

/** The word that a call lacks, if it lacks one. */
function missingIn({ verb }: Called): string {
  return verb === undefined ? 'tap' : 'bridge';
}

function callOf({ command, verb }: Called): string {
  return ['qemu-netif', ...[command, verb].flatMap((each) => (each ? [nameOf(each)] : []))].join(' ');
}
