import type { Argv } from 'yargs';
import type { Action } from '../../action.ts';
import { CREATE } from './create-verb.ts';

/** Where backups are. */
const dest = (parser: Argv<object>): Argv<object> =>
  parser.positional('dest', { type: 'string', demandOption: true, describe: 'Folder of backups' }) as Argv<object>;

/** `backup` and its verbs. */
export const BACKUP: Action = {
  command: 'backup',
  group: 'Disks',
  describe: 'Back up machines, and look after their backups',
  verbs: [
    CREATE,
    {
      command: 'list <dest>',
      describe: 'List the backups in a folder',
      options: dest,
      examples: [['/srv/backup', 'All points of all machines']],
      load: () => import('./list.ts'),
    },
    {
      command: 'verify <dest> [id]',
      describe: 'Read backups and compare them with their checksums',
      options: (parser) =>
        dest(parser).positional('id', {
          type: 'string',
          describe: 'Machine, or one of its points: ID@POINT (default: all)',
        }),
      examples: [['/srv/backup web@20261127-030000', 'One point, and those that it rests on']],
      load: () => import('./verify.ts'),
    },
    {
      command: 'delete <dest> <id>',
      describe: 'Delete a point; one that another rests on is merged into that first',
      options: (parser) =>
        dest(parser).positional('id', { type: 'string', demandOption: true, describe: 'The point: ID@POINT' }),
      examples: [['/srv/backup web@20261127-030000', 'All other points stay complete']],
      load: () => import('./delete.ts'),
    },
  ],
};
