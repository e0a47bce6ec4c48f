import { QemuError } from '../../../base/errors.ts';
import type { StopResult } from '../../../machine/stop/stop.ts';
import type { Context } from '../../run/context.ts';
import { present } from '../../shared/many.ts';
import { type SelectionArguments, select } from '../../shared/selection.ts';
import { stopPatiently } from '../../shared/stopping.ts';
import { stopOutcome } from './stop-outcome.ts';

export interface StopArguments extends SelectionArguments {
  readonly parallel?: number;
  readonly timeout?: number;
  readonly force?: boolean;
}

interface Arguments extends StopArguments {
  /** False with --no-kill; undefined when the argument parser was not needed. */
  readonly kill?: boolean;
  readonly deadline?: number;
  readonly direct?: boolean;
}

export async function run(context: Context, args: Arguments): Promise<number> {
  const noKill = args.kill === false;
  if (args.force && noKill) throw new QemuError('QEMU_USAGE', '--force and --no-kill contradict each other');
  const fleet = context.fleet();
  const selection = select(context, args, () => fleet.listWithRunning());
  const wish = { force: args.force, stopDelayMs: args.timeout === undefined ? undefined : args.timeout * 1000 };
  const work = fleet.stopMany(selection.targets, {
    ...wish,
    noKill,
    deadlineMs: args.deadline === undefined ? undefined : args.deadline * 1000,
    parallel: args.parallel,
    signal: context.signal,
  });
  const outcomes = await stopPatiently(context, selection.targets, wish, work);
  return present<StopResult>(context, selection, outcomes, stopOutcome);
}
