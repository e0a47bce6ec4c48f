import type { Argv } from 'yargs';
import { nearest } from '../../config/names.ts';
import { QemuError } from '../../errors.ts';
import { VERSION } from '../../version.ts';
import { parseArguments } from '../parse-arguments.ts';
import { type Handle, runTool } from '../run-tool.ts';
import { ACTIONS, type Action, LATER } from './actions.ts';

/** `qemu-init` with the argument parser and all actions. Returns the exit status. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  return runTool('qemu-init', argv, (handle) =>
    parseArguments('qemu-init', argv, (parser) => define(parser, handle, argv), missingIn(argv)),
  );
}

function define(parser: Argv<object>, handle: Handle, argv: readonly string[]): Argv<object> {
  refuseUnknownAction(argv);
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

/** Options of all actions that have a value of their own. */
const WITH_VALUE = ['--root'];

/** The parser would call it an unknown argument, and not say which action is nearest. */
function refuseUnknownAction(argv: readonly string[]): void {
  const names = ACTIONS.map(({ command }) => command.split(' ')[0] ?? '');
  if (argv.some((word) => names.includes(word) || LATER.includes(word))) return;
  const first = argv.find((word, at) => !word.startsWith('-') && !WITH_VALUE.includes(argv[at - 1] ?? ''));
  if (first === undefined) return;
  const near = nearest(first, names);
  throw new QemuError('QEMU_USAGE', `There is no action "${first}"`, {
    hint: near === undefined ? 'see: qemu-init --help' : `did you mean "${near}"? see: qemu-init --help`,
  });
}

/** What the first word of the action is that has to be there, as it is called when it is not. */
function missingIn(argv: readonly string[]): string {
  const word = /<(\w+)>/.exec(wanted(argv)[0]?.command ?? '')?.[1];
  return word === undefined || word === 'id' ? 'machine' : word;
}

/** The actions that the command line names, which spares setting up the others; all of them for help and mistakes. */
function wanted(argv: readonly string[]): readonly Action[] {
  const named = ACTIONS.filter(({ command }) => argv.includes(command.split(' ')[0] ?? ''));
  return named.length > 0 && !argv.some((each) => each === '--help' || each === '-h') ? named : ACTIONS;
}
