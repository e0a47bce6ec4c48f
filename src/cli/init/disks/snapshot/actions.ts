import type { Argv } from 'yargs';
import type { Action } from '../../action.ts';
import { many, one } from '../../parameters.ts';

const named = (parser: Argv<object>): Argv<object> =>
  one(parser).positional('snapshot', {
    type: 'string',
    demandOption: true,
    describe: 'Name of the snapshot, as listed',
  }) as Argv<object>;

/** `snapshot` and its verbs. */
export const SNAPSHOT: Action = {
  command: 'snapshot',
  group: 'Disks',
  describe: 'Keep states of machines, and go back to them',
  verbs: [
    {
      command: 'create <id> [snapshot]',
      describe: 'Make a snapshot of all disks at one instant, of a machine that runs or does not',
      options: (parser) =>
        one(parser)
          .positional('snapshot', { type: 'string', describe: 'Its name (default: the time, YYYYMMDD-HHMMSS)' })
          .option('memory', { type: 'boolean', describe: 'Also of RAM and devices; the guest stands still meanwhile' })
          .option('quiesce', {
            type: 'string',
            choices: ['auto', 'on', 'off'],
            default: 'auto',
            requiresArg: true,
            describe: 'Freeze file systems through the guest agent: auto (if one answers), on (or fail), off',
          })
          .option('description', { type: 'string', requiresArg: true, describe: 'What it is for' })
          .option('external', {
            type: 'boolean',
            describe: 'Put overlays above the disks instead, also of raw ones; the machine goes on in them',
          })
          .option('skip-raw', {
            type: 'boolean',
            describe: 'Leave out raw disks',
          }) as Argv<object>,
      examples: [
        ['web before-upgrade', 'All disks, with file systems frozen if the guest agent answers'],
        ['web --memory', 'With RAM: revert goes back to the running guest'],
      ],
      load: () => import('./create.ts'),
    },
    {
      command: 'list [ids..]',
      describe: 'List snapshots (default: of all machines)',
      options: many,
      load: () => import('./list.ts'),
    },
    {
      command: 'revert <id> <snapshot>',
      describe: 'Go back to a snapshot; what the machine is now is lost',
      options: named,
      examples: [['web before-upgrade', 'A machine that runs is running again afterwards']],
      load: () => import('./revert.ts'),
    },
    {
      command: 'delete <id> <snapshot>',
      describe: 'Delete a snapshot; the machine stays as it is',
      options: named,
      load: () => import('./delete.ts'),
    },
  ],
};
