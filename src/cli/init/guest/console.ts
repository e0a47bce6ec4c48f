import { QemuError } from '../../../base/errors.ts';
import { lastLines } from '../../../base/text.ts';
import type { MachineRef } from '../../../machine/context.ts';
import { refuseConsole, withConsole } from '../../../machine/control/console.ts';
import { LogFollower } from '../../../system/files/log/follow-log.ts';
import { attach, type SessionEnd } from '../../input/terminal.ts';
import { watchLog } from '../../input/watch-log.ts';
import { resetTerminal } from '../../output/reset-terminal.ts';
import type { Context } from '../../run/context.ts';
import { INTERRUPTED } from '../../run/exit-code.ts';

interface Arguments {
  readonly id: string;
  readonly 'read-only'?: boolean;
  readonly lines?: string;
}

/** Of a terminal that does not tell its size, as a serial line. */
const ROWS = 24;

/** Attaches to the console of a guest, or watches it. */
export async function run(context: Context, args: Arguments): Promise<number> {
  const { output, signal } = context;
  const lines = linesOf(args.lines);
  const fleet = context.fleet();
  const target = await fleet.settled(args.id);
  const { config } = fleet.inspect(target);
  const isTerminal = process.stdin.isTTY === true;
  if (args['read-only']) {
    refuseConsole(target, config);
    return watch(context, target, lines);
  }
  const log = new LogFollower(target.files.consoleLog);
  try {
    const end = await withConsole(fleet.host, target, config, signal, async (stream) => {
      if (isTerminal)
        output.note('info', `Console of ${target.longName}. Leave with Ctrl-]; press Enter if nothing appears.`);
      scrollBack(log, lines);
      return attach(stream, signal);
    });
    return leave(context, end, 'Left the console.');
  } catch (error) {
    if (!isTerminal || !(error instanceof QemuError) || error.code !== 'QEMU_LOCKED') throw error;
    output.note('warning', `${error.message}: only watching`);
    return watch(context, target, lines);
  }
}

async function watch(context: Context, target: MachineRef, lines: number): Promise<number> {
  const { output, signal } = context;
  const isTerminal = process.stdin.isTTY === true;
  if (isTerminal) output.note('info', `Watching the console of ${target.longName}. Leave with Ctrl-].`);
  const log = new LogFollower(target.files.consoleLog);
  scrollBack(log, lines);
  const end = await watchLog(log, () => context.fleet().isAlive(target), signal);
  return leave(context, end, 'Stopped watching.');
}

/** What was printed last, and since the follower was made. */
function scrollBack(log: LogFollower, lines: number): void {
  if (lines < 1) return;
  process.stdout.write(lastLines(log.before(), lines));
  for (let piece = log.next(); piece.length > 0; piece = log.next()) process.stdout.write(piece);
}

function leave({ output }: Context, end: SessionEnd, text: string): number {
  resetTerminal();
  if (process.stdin.isTTY) output.note('info', end === 'closed' ? '\nThe machine closed the connection.' : `\n${text}`);
  return end === 'aborted' ? INTERRUPTED : 0;
}

/** A screen of them on a terminal; a program that reads gets what comes from now on. */
function linesOf(text: string | undefined): number {
  if (text === undefined) return process.stdout.isTTY && process.stdin.isTTY ? (process.stdout.rows || ROWS) - 2 : 0;
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new QemuError('QEMU_USAGE', `--lines must be a whole number, not "${text}"`);
}
