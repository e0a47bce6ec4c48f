import type { Argv } from 'yargs';
import { parseSize } from '../../../../config/text/values.ts';
import type { Verb } from '../../../help/command.ts';
import { one } from '../../parameters.ts';

/** `backup create`. */
export const CREATE: Verb = {
  command: 'create <id> [dest]',
  describe: 'Back up the disks of a machine, running or not',
  options: (parser) => copying(one(parser).positional('dest', DEST) as Argv<object>),
  examples: [
    ['web /srv/backup', 'What has changed since the last point there, or all'],
    ['web /srv/backup --keep 30 --rate 50M', 'Gently, and without points older than the last 30'],
  ],
  load: () => import('./create.ts'),
};

const DEST = { type: 'string', describe: "Folder of backups (default: BACKUP of the machine's file)" } as const;

function copying(parser: Argv<object>): Argv<object> {
  return parser
    .option('full', { type: 'boolean', describe: 'Copy everything, even if less would do' })
    .option('rate', {
      type: 'string',
      requiresArg: true,
      coerce: bytesPerSecond,
      describe: 'Most bytes a second, such as 50M',
    })
    .option('compress', { type: 'boolean', describe: 'Compress what is copied; takes much longer' })
    .option('quiesce', {
      type: 'string',
      requiresArg: true,
      choices: ['auto', 'on', 'off'],
      describe: 'Freeze file systems through the guest agent: auto (default; if one answers), on (or fail), off',
    })
    .option('keep', {
      type: 'string',
      requiresArg: true,
      coerce: points,
      describe: 'Points to keep; older ones are merged',
    })
    .option('wait-for-space', {
      type: 'boolean',
      describe: 'Wait for room on a full file system, instead of failing',
    }) as Argv<object>;
}

function bytesPerSecond(text: string): number {
  const bytes = parseSize(text);
  if (bytes === undefined || bytes === 0) throw new Error(`--rate must be a size such as 50M, not "${text}"`);
  return bytes;
}

function points(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new Error(`--keep must be a whole number from 1 to 99999, not "${text}"`);
  return Number(text);
}
