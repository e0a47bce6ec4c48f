import type { Argv } from 'yargs';
import type { Action } from '../../action.ts';
import { many, one, RATE } from '../../parameters.ts';

/** One disk of one machine. */
const oneDisk = (parser: Argv<object>): Argv<object> =>
  one(parser).positional('disk', { type: 'string', demandOption: true, describe: 'Key of the disk: DSK1' });

/** `disk` and its verbs. */
export const DISK: Action = {
  command: 'disk',
  group: 'Disks',
  describe: 'Look at disks, and change them',
  verbs: [
    {
      command: 'list [ids..]',
      describe: 'List disks with their sizes and images (default: of all machines)',
      options: many,
      examples: [['web', 'Each image of each disk, its bitmaps and snapshots']],
      load: () => import('./list.ts'),
    },
    {
      command: 'check <id> [disk]',
      describe: 'Check the images of a stopped machine',
      options: (parser) =>
        one(parser)
          .positional('disk', { type: 'string', describe: 'Key of the only disk to check: DSK1' })
          .option('repair', {
            choices: ['leaks', 'all'] as const,
            requiresArg: true,
            describe: 'Repair leaks, which costs no data, or all',
          }) as Argv<object>,
      load: () => import('./check.ts'),
    },
    {
      command: 'resize <id> <disk> <size>',
      describe: 'Change the size of a disk, also while the machine runs',
      options: (parser) =>
        oneDisk(parser)
          .positional('size', { type: 'string', demandOption: true, describe: 'New size such as 20G, or +4G' })
          .option('shrink', {
            type: 'boolean',
            describe: 'Let it become smaller, while the machine is stopped: what is past its new end is lost',
          }) as Argv<object>,
      examples: [['web DSK1 +10G', 'The guest sees the larger disk at once']],
      load: () => import('./resize.ts'),
    },
    {
      command: 'convert <id> <disk> <format> [file]',
      describe: 'Copy a disk to a file of another format and go on there',
      options: (parser) =>
        oneDisk(parser)
          .positional('format', {
            choices: ['qcow2', 'raw'] as const,
            demandOption: true,
            describe: 'New format: qcow2 or raw',
          })
          .positional('file', { type: 'string', describe: 'Path of the new image (default: beside the old one)' })
          .option('rate', RATE) as Argv<object>,
      examples: [['web DSK1 qcow2', 'Lets a raw disk have snapshots and incremental backups']],
      load: async () => ({ run: (await import('./copy.ts')).convert }),
    },
    {
      command: 'commit <id> <disk>',
      describe: 'Write the overlays of a disk into the image below them, and remove them',
      options: oneDisk,
      load: async () => ({ run: (await import('./copy.ts')).commit }),
    },
    {
      command: 'mirror <id> <disk> <file>',
      describe: 'Copy a disk to a new file and go on there, also while the machine runs',
      options: (parser) =>
        oneDisk(parser)
          .positional('file', { type: 'string', demandOption: true, describe: 'Path of the new image' })
          .option('format', {
            choices: ['qcow2', 'raw'] as const,
            requiresArg: true,
            describe: 'Format of the new image: qcow2 or raw (default: by the ending of FILE, else as the old one)',
          })
          .option('rate', RATE) as Argv<object>,
      examples: [['web DSK1 /srv/fast/web.qcow2', 'Moves the disk to another file system; the old image stays']],
      load: async () => ({ run: (await import('./copy.ts')).mirror }),
    },
  ],
};
