import { delay } from '../../../base/abort.ts';
import { QemuError } from '../../../base/errors.ts';
import { lastLines } from '../../../base/text.ts';
import { namesInRunDir } from '../../../fleet/resolve.ts';
import { LogFollower } from '../../../system/files/log/follow-log.ts';
import { trimLog } from '../../../system/files/log/trim-log.ts';
import { machinePaths } from '../../../system/paths.ts';
import type { Context } from '../../run/context.ts';

interface Arguments {
  readonly id?: string;
  readonly console: boolean;
  readonly lines?: string;
  readonly follow: boolean;
  readonly trim: boolean;
}

const PAUSE_MS = 200;

export async function run(context: Context, args: Arguments): Promise<number> {
  if (args.lines !== undefined && !/^\d{1,9}$/.test(args.lines)) {
    throw new QemuError('QEMU_USAGE', `--lines must be a whole number, not "${args.lines}"`);
  }
  if (args.follow && context.output.json) {
    throw new QemuError('QEMU_USAGE', '--follow cannot print JSON', { hint: 'leave out --json' });
  }
  if (args.trim) return trimAll(context, args);
  if (args.id === undefined) {
    throw new QemuError('QEMU_USAGE', 'No machine was given', { hint: 'name one; see: qemu-init list' });
  }
  const { files, longName } = await context.fleet().settled(args.id);
  const path = args.console ? files.consoleLog : files.log;
  for (const log of [files.log, files.consoleLog]) trimLog(log);
  const log = new LogFollower(path);
  const text = log.before();
  const shown = args.lines === undefined ? text : lastLines(text, Number(args.lines));
  if (context.output.json) context.output.document([{ name: longName, path, text: shown }]);
  else context.output.raw(shown);
  if (args.follow) await follow(context, log);
  return 0;
}

/**
 * Shortens the logs of all running machines, registered or not: run regularly by a systemd timer. Other files in the folder are
 * left alone: if a group may write to /var/log, it could have put the folder of another service there.
 */
function trimAll({ paths }: Context, args: Arguments): number {
  if (args.id !== undefined) throw new QemuError('QEMU_USAGE', '--trim is for all machines: do not name one');
  for (const name of namesInRunDir(paths)) {
    const { log, consoleLog } = machinePaths(paths, name);
    trimLog(log);
    trimLog(consoleLog);
  }
  return 0;
}

/** Prints what is added until the signal comes, which is the way to end it and not a failure. */
async function follow(context: Context, log: LogFollower): Promise<void> {
  while (!context.signal.aborted) {
    const piece = log.next();
    if (piece.length > 0) context.output.raw(piece);
    else await delay(PAUSE_MS, context.signal).catch(() => {});
  }
}
