import type { Argv } from 'yargs';
import { QemuError } from '../../base/errors.ts';
import { VERSION } from '../../base/version.ts';
import { parseArguments } from '../run/parse-arguments.ts';
import { type Handle, runTool } from '../run/run-tool.ts';
import { ACTIONS, type Action, LATER } from './actions.ts';
import { unknownAction } from './unknown-action.ts';

/** `qemu-init` with the argument parser and all actions. Returns the exit status. */
export async function runCommand(words: readonly string[]): Promise<number> {
  const argv = asOptions(words);
  return runTool('qemu-init', argv, (handle) =>
    parseArguments('qemu-init', argv, (parser) => define(parser, handle, argv), missingIn(argv)),
  );
}

/** `help`, `help start` and `version`, as many other programs have them, are the options of that name. */
function asOptions(words: readonly string[]): readonly string[] {
  const [first, ...rest] = words;
  if (first === 'help') return [...rest, '--help'];
  return first === 'version' || first === '-V' || (first === '-v' && rest.length === 0)
    ? ['--version', ...rest]
    : words;
}

function define(parser: Argv<object>, handle: Handle, argv: readonly string[]): Argv<object> {
  const error = unknownAction(argv, [...ACTIONS.map(actionName), ...LATER]);
  if (error) throw error;
  for (const action of wanted(argv)) {
    parser.command({
      command: action.command,
      describe: action.describe,
      builder: (sub) => action.options?.(sub) ?? sub,
      handler: async (args) => handle((await action.load()).run, args),
    });
  }
  for (const name of LATER.filter((each) => argv.includes(each))) {
    parser.command({
      command: `${name} [rest..]`,
      describe: false,
      builder: (sub) => sub.strict(false),
      handler: () => {
        throw new QemuError('QEMU_NOT_IMPLEMENTED', `qemu-init ${VERSION} does not have "${name}" yet`);
      },
    });
  }
  return parser
    .usage('qemu-init ACTION [ID…] [options]\n\nStarts, stops and looks after QEMU machines.')
    .demandCommand(1, 'No action was given')
    .epilogue('Manual: qemu-init(8), qemu.cfg(5)');
}

/** What the first word of the action is that has to be there, as it is called when it is not. */
function missingIn(argv: readonly string[]): string {
  const word = /<(\w+)>/.exec(wanted(argv)[0]?.command ?? '')?.[1];
  return word === undefined || word === 'id' ? 'machine' : word;
}

/** The actions that the command line names, which spares setting up the others; all of them for help and mistakes. */
function wanted(argv: readonly string[]): readonly Action[] {
  const named = ACTIONS.filter((action) => argv.includes(actionName(action)));
  return named.length > 0 && !argv.some((each) => each === '--help' || each === '-h') ? named : ACTIONS;
}

function actionName({ command }: Action): string {
  return command.split(' ')[0] ?? '';
}
