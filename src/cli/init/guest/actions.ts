import type { Argv } from 'yargs';
import type { Action } from '../action.ts';
import { one, seconds } from '../parameters.ts';
import { AGENT_COMMANDS } from './agent/commands.ts';

/** Actions of the group "Guest", in the order of the help text. */
export const GUEST: readonly Action[] = [
  {
    command: 'console <id>',
    group: 'Guest',
    describe: 'Attach to the serial console; leave with Ctrl-]',
    options: one,
    load: () => import('./console.ts'),
  },
  {
    command: 'vnc <id>',
    group: 'Guest',
    describe: 'Show how to view the screen',
    options: one,
    load: () => import('./vnc.ts'),
  },
  {
    command: 'agent <id> <command> [words..]',
    group: 'Guest',
    describe: 'Talk to the agent in the guest',
    commands: AGENT_COMMANDS,
    takesProgram: true,
    options: (parser) =>
      one(parser)
        .positional('command', { type: 'string', demandOption: true, describe: 'What to ask it for, see below' })
        .positional('words', { type: 'string', array: true, describe: 'What the command needs' })
        .option('stdin', { type: 'boolean', describe: 'exec: pass on standard input' })
        .option('timeout', {
          type: 'string',
          requiresArg: true,
          coerce: seconds,
          describe: 'exec: seconds to wait for the program, which is not ended by it (default: no limit)',
        })
        .option('crypted', { type: 'boolean', describe: 'passwd: it is a hash, as in shadow(5)' }) as Argv<object>,
    examples: [
      ['web exec -- ls -l /', 'Output and exit status of a program in the guest'],
      ['web get /etc/hosts hosts', 'A copy of a file of the guest'],
    ],
    load: () => import('./agent/agent.ts'),
  },
];
