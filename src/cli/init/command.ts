import type { Argv } from 'yargs';
import { QemuError } from '../../errors.ts';
import { VERSION } from '../../version.ts';
import { parseArguments } from '../parse-arguments.ts';
import { type Handle, runTool } from '../run-tool.ts';
import { ACTIONS, type Action, LATER } from './actions.ts';

/** `qemu-init` with the argument parser and all actions. Returns the exit status. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  return runTool('qemu-init', argv, (handle) =>
    parseArguments('qemu-init', argv, (parser) => define(parser, handle, argv)),
  );
}

function define(parser: Argv<object>, handle: Handle, argv: readonly string[]): Argv<object> {
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

/** The actions that the command line names, which spares setting up the others; all of them for help and mistakes. */
function wanted(argv: readonly string[]): readonly Action[] {
  const named = ACTIONS.filter(({ command }) => argv.includes(command.split(' ')[0] ?? ''));
  return named.length > 0 && !argv.some((each) => each === '--help' || each === '-h') ? named : ACTIONS;
}
