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

/** A machine with another name. */
export const RENAME: Action = {
  command: 'rename <id> <new>',
  group: 'Configure',
  describe: 'Give a stopped machine another name',
  options: newName,
  load: () => import('./rename.ts'),
};

/** A machine no more. */
export const DELETE: Action = {
  command: 'delete <id>',
  settlesFirst: true,
  group: 'Configure',
  describe: 'Delete a stopped machine with its files and disks; asks first',
  options: (parser) =>
    one(parser)
      .option('keep-disks', { type: 'boolean', describe: 'Keep its disks' })
      .option('yes', { type: 'boolean', describe: 'Do not ask' })
      .option('dry-run', { type: 'boolean', describe: 'Only show what would be deleted' }) as Argv<object>,
  load: () => import('./delete.ts'),
};

function newName(parser: Argv<object>): Argv<object> {
  return one(parser).positional('new', {
    type: 'string',
    demandOption: true,
    describe: 'Long name of the new one',
  }) as Argv<object>;
}
