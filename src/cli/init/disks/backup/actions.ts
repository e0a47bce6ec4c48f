import type { Argv } from 'yargs';
import type { Action } from '../../action.ts';
import { seconds } from '../../parameters.ts';
import { CREATE } from './create-verb.ts';

/** Where backups are. */
const dest = (parser: Argv<object>): Argv<object> =>
  parser.positional('dest', { type: 'string', demandOption: true, describe: 'Folder of backups' }) as Argv<object>;

const BACKUP_ID = {
  type: 'string',
  demandOption: true,
  describe: 'Machine, or one of its points: ID@POINT (default: the newest)',
} as const;

/** `backup` and its verbs. */
export const BACKUP: Action = {
  command: 'backup',
  group: 'Disks',
  describe: 'Back up machines, and look after their backups',
  verbs: [
    CREATE,
    {
      command: 'list <dest>',
      settlesFirst: true,
      describe: 'List the backups in a folder',
      options: dest,
      examples: [['/srv/backup', 'All points of all machines']],
      load: () => import('./list.ts'),
    },
    {
      command: 'verify <dest> [id]',
      settlesFirst: true,
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
      settlesFirst: true,
      describe: 'Delete a point; one that another rests on is merged into that first',
      options: (parser) =>
        dest(parser).positional('id', { type: 'string', demandOption: true, describe: 'The point: ID@POINT' }),
      examples: [['/srv/backup web@20261127-030000', 'All other points stay complete']],
      load: () => import('./delete.ts'),
    },
    {
      command: 'serve <dest> <id>',
      settlesFirst: true,
      describe: 'Let programs read a disk of a point, until interrupted',
      options: (parser) =>
        dest(parser)
          .positional('id', BACKUP_ID)
          .option('disk', { type: 'string', requiresArg: true, value: 'DSKx', describe: 'Disk, if there are several' })
          .option('socket', {
            type: 'string',
            requiresArg: true,
            value: 'PATH',
            describe: 'Unix socket (default: in the run-time folder)',
          })
          .option('idle', {
            type: 'string',
            requiresArg: true,
            coerce: seconds,
            default: '0',
            describe: 'End after so many seconds without a connection; 0: never',
          }) as Argv<object>,
      examples: [
        ['/srv/backup web --disk DSK2 --socket /run/old.sock', 'For qemu-img, nbdcopy, qemu-nbd'],
        ['/srv/backup web --idle 60', 'For a script that may die'],
      ],
      load: () => import('./serve.ts'),
    },
  ],
};

const ONE_DISK = { type: 'string', requiresArg: true, value: 'DSKx', describe: 'Restore that disk only' } as const;

const OUTPUT = {
  type: 'string',
  requiresArg: true,
  value: 'DIR',
  describe: 'Folder for the files of a new machine, or with --disk for the image',
} as const;

/** `restore`. */
export const RESTORE: Action = {
  command: 'restore <dest> <id>',
  settlesFirst: true,
  group: 'Disks',
  describe: 'Restore a machine from a backup, over the stopped one of that name or as a new one',
  options: (parser) =>
    dest(parser)
      .positional('id', BACKUP_ID)
      .option('as', { type: 'string', requiresArg: true, describe: 'Restore a copy of that name' })
      .option('output', OUTPUT)
      .option('disk', ONE_DISK)
      .option('fresh', { type: 'boolean', describe: 'Drop the saved state of the machine' }) as Argv<object>,
  examples: [
    ['/srv/backup web@20261127-030000', 'The machine as it was then'],
    ['/srv/backup web --as web2', 'A copy, with a UUID and MAC addresses of its own'],
    ['/srv/backup web --disk DSK2 --output /tmp', 'One image, to look into'],
  ],
  load: () => import('./restore.ts'),
};
