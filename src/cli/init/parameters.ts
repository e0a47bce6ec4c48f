import type { Argv } from 'yargs';
import { parseSize } from '../../config/text/values.ts';

const MACHINES = { type: 'string', array: true, describe: 'Short or long names, or paths of cfg files' } as const;

/** Any machines, or all of them. */
export const many = (parser: Argv<object>): Argv<object> =>
  parser.positional('ids', MACHINES).option('all', { type: 'boolean', describe: 'All machines' }) as Argv<object>;

/** The same, and how many at a time. */
export const manyAtOnce = (parser: Argv<object>): Argv<object> =>
  many(parser).option('parallel', {
    type: 'string',
    requiresArg: true,
    describe: 'Number of machines handled at a time',
    coerce: count,
  }) as Argv<object>;

/** One machine. */
export const one = (parser: Argv<object>): Argv<object> =>
  parser.positional('id', {
    type: 'string',
    demandOption: true,
    describe: 'Short or long name, or path of a cfg file',
  }) as Argv<object>;

/** Machines to start, and how far. */
export const starting = (parser: Argv<object>): Argv<object> =>
  manyAtOnce(parser)
    .option('paused', { type: 'boolean', describe: "Stop before the guest's first instruction" })
    .option('preconfig', { type: 'boolean', describe: 'Stop before QEMU creates the machine' })
    .conflicts('paused', 'preconfig');

/** Machines to stop, and how. */
export const stopping = (parser: Argv<object>): Argv<object> =>
  manyAtOnce(parser)
    .option('timeout', {
      type: 'string',
      requiresArg: true,
      coerce: seconds,
      describe: 'Seconds the guest has to shut down, instead of STOPDELAY',
    })
    .option('force', {
      type: 'boolean',
      describe: 'Do not ask the guest to shut down: begin with quit',
    }) as Argv<object>;

/** How long guests have to release devices. */
export const releasing = (parser: Argv<object>): Argv<object> =>
  parser.option('timeout', {
    type: 'string',
    requiresArg: true,
    coerce: seconds,
    default: '30',
    describe: 'Seconds the guest has to release devices',
  }) as Argv<object>;

/** Where the files of an installation go. */
export const installing = (parser: Argv<object>): Argv<object> =>
  parser
    .option('prefix', { type: 'string', requiresArg: true, describe: 'Folder for programs and units (/usr)' })
    .option('destdir', { type: 'string', requiresArg: true, describe: 'Folder to use as /, for packagers' })
    .option('dry-run', { type: 'boolean', describe: 'Only print what would be done' }) as Argv<object>;

function count(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new Error(`--parallel must be a whole number from 1 to 99999, not "${text}"`);
  return Number(text);
}

/** Seconds as a decimal number. */
export function seconds(text: string): number {
  if (!/^\d{1,7}(\.\d+)?$/.test(text)) throw new Error(`"${text}" is not a number of seconds`);
  return Number(text);
}

/** Bytes a second as typed. */
function rate(text: string): number {
  const bytes = parseSize(text);
  if (bytes !== undefined && bytes > 0) return bytes;
  throw new Error(`--rate must be a number of bytes a second such as 50M, not "${text}"`);
}

/** Limit for what is copied or sent. */
export const RATE = {
  type: 'string',
  requiresArg: true,
  coerce: rate,
  describe: 'Most bytes a second, such as 50M',
} as const;

/** Milliseconds of a downtime as typed. */
export function milliseconds(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new Error(`--downtime must be milliseconds from 1 to 999999, not "${text}"`);
  return Number(text);
}
