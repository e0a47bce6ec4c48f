import type { Action } from '../action.ts';
import { many, one } from '../parameters.ts';
import { BACKUP, RESTORE } from './backup/actions.ts';
import { DISK } from './disk/actions.ts';
import { SNAPSHOT } from './snapshot/actions.ts';

/** Actions of the group "Disks", in the order of the help text. */
export const DISKS: readonly Action[] = [
  SNAPSHOT,
  DISK,
  {
    command: 'jobs [ids..]',
    group: 'Disks',
    describe: 'List background jobs on disks and saved states (default: of all running machines)',
    options: many,
    verbs: [
      {
        command: 'resume <id> [job]',
        describe: 'Go on with the work of a command that was killed while its jobs ran on',
        options: (parser) => one(parser).positional('job', { type: 'string', describe: 'Id of the job, as listed' }),
        examples: [['web', 'Shows the progress of the copy, and finishes it']],
        load: () => import('./jobs-resume.ts'),
      },
      {
        command: 'cancel <id> <job>',
        describe: 'Cancel a job, or forget one that has ended',
        options: (parser) =>
          one(parser).positional('job', { type: 'string', demandOption: true, describe: 'Id of the job, as listed' }),
        examples: [['web qi.mirror.dsk1.copy', 'Cancels the copy; the machine keeps running']],
        load: () => import('./jobs-cancel.ts'),
      },
    ],
    examples: [['web', 'Their progress, and why a job failed']],
    load: () => import('./jobs.ts'),
  },
  BACKUP,
  RESTORE,
];
