import { open } from 'node:fs/promises';
import { QemuError } from '../../errors.ts';
import { delay } from '../../system/delay.ts';
import { LOG_LIMIT_BYTES, readTail, sizeOf, trimOpenLog } from '../../system/log-file.ts';
import type { Context } from '../context.ts';

interface Arguments {
  readonly id: string;
  readonly console: boolean;
  readonly lines?: string;
  readonly follow: boolean;
}

const PAUSE_MS = 200;

export async function run(context: Context, args: Arguments): Promise<number> {
  if (args.lines !== undefined && !/^\d{1,9}$/.test(args.lines)) {
    throw new QemuError('QEMU_USAGE', `--lines "${args.lines}" is no number`);
  }
  if (args.follow && context.output.json) {
    throw new QemuError('QEMU_USAGE', '--follow has no JSON form', { hint: 'leave out --json' });
  }
  const { files, longName } = context.fleet().get(args.id);
  const path = args.console ? files.consoleLog : files.log;
  for (const log of [files.log, files.consoleLog]) trimOpenLog(log);
  const text = readTail(path, 0, LOG_LIMIT_BYTES);
  const shown = args.lines === undefined ? text : lastLines(text, Number(args.lines));
  if (context.output.json) context.output.document([{ name: longName, path, text: shown }]);
  else context.output.raw(shown);
  if (args.follow) await follow(context, path, sizeOf(path));
  return 0;
}

/** The last lines of a text, which may end in the middle of one. */
function lastLines(text: string, count: number): string {
  const lines = text.split('\n');
  const complete = lines.at(-1) === '' ? lines.length - 1 : lines.length;
  return lines.slice(Math.max(0, complete - count)).join('\n');
}

/** Prints what is added until the signal comes, which is the way to end it and no failure. */
async function follow(context: Context, path: string, from: number): Promise<void> {
  let position = from;
  while (!context.signal.aborted) {
    const size = sizeOf(path);
    if (size < position) position = 0;
    if (size > position) {
      const file = await open(path);
      try {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(size - position), 0, size - position, position);
        context.output.raw(buffer.subarray(0, bytesRead));
        position += bytesRead;
      } finally {
        await file.close();
      }
    }
    await delay(PAUSE_MS, context.signal).catch(() => {});
  }
}
