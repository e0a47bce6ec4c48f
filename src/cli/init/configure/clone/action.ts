import type { Argv } from 'yargs';
import type { Action } from '../../action.ts';
import { one } from '../../parameters.ts';

/** A machine like another one. */
export const CLONE: Action = {
  command: 'clone <id> <new>',
  group: 'Configure',
  describe: 'Make a machine like another one, which may run',
  options: (parser) =>
    newName(parser)
      .option('linked', { type: 'boolean', describe: 'Put both on a common base instead of copying the disks' })
      .option('snapshot', {
        type: 'string',
        requiresArg: true,
        describe: 'Copy the disks as they were at that snapshot',
      })
      .option('output', { type: 'string', requiresArg: true, describe: 'Folder for the files' }) as Argv<object>,
  examples: [['web test', 'Copies disks and settings; UUID, addresses and ports are new']],
  load: () => import('./clone.ts'),
};

function newName(parser: Argv<object>): Argv<object> {
  return one(parser).positional('new', {
    type: 'string',
    demandOption: true,
    describe: 'Long name of the new one',
  }) as Argv<object>;
}
