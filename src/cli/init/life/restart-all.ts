import type { Outcome } from '../../../fleet/schedule/outcome.ts';
import type { MachineRef } from '../../../machine/context.ts';
import type { StartResult } from '../../../machine/start/already-running.ts';
import type { Rung } from '../../../machine/stop/stop-plan.ts';
import type { Context } from '../../run/context.ts';
import { type Presentation, present } from '../../shared/many.ts';
import type { Selection } from '../../shared/selection.ts';
import { stopPatiently } from '../../shared/stopping.ts';
import { startOutcome } from './start-outcome.ts';
import type { StopArguments } from './stop.ts';

type RestartResult = StartResult & { readonly rung: Rung };

/** Restarts machines and shows the outcomes. */
export async function restartAll(context: Context, selection: Selection, args: StopArguments): Promise<number> {
  const outcomes = await restart(context, selection.targets, args);
  return present<RestartResult>(context, selection, outcomes, restartOutcome);
}

/**
 * Stops and then starts machines. A machine that could not start with its present files is left running, and one that
 * could not be stopped is not started.
 */
export async function restart(
  context: Context,
  targets: readonly MachineRef[],
  args: StopArguments,
): Promise<Outcome<RestartResult>[]> {
  const fleet = context.fleet();
  const { signal } = context;
  const checked = await fleet.each(targets, 1, (target) => fleet.commandLine(target));
  const wish = { force: args.force, stopDelayMs: args.timeout === undefined ? undefined : args.timeout * 1000 };
  const work = fleet.stopMany(passed(checked), { ...wish, parallel: args.parallel, signal });
  const stopped = await stopPatiently(context, passed(checked), wish, work);
  const started = await fleet.startMany(passed(stopped), { parallel: args.parallel, signal });
  const of = <T>(outcomes: readonly Outcome<T>[], target: MachineRef): Outcome<T> | undefined =>
    outcomes.find((outcome) => outcome.target.longName === target.longName);
  return checked.map((check): Outcome<RestartResult> => {
    const { target } = check;
    if (!check.ok) return check;
    const stop = of(stopped, target);
    if (!stop?.ok) return stop ?? { target, ok: false, error: new Error('Not stopped'), seconds: 0 };
    const start = of(started, target);
    if (!start) return { target, ok: false, error: new Error('Not started'), seconds: 0 };
    return start.ok ? { ...start, value: { ...start.value, rung: stop.value.rung } } : start;
  });
}

/** How a restart is shown. */
export const restartOutcome: Presentation<RestartResult> = {
  ...startOutcome,
  text: (name, value) =>
    value.rung === 'none'
      ? startOutcome.text(name, value)
      : `${startOutcome.text(name, value)}, stopped by ${value.rung}`,
  json: (value) => ({ ...startOutcome.json(value), rung: value.rung }),
  failed: (seconds, error) => ({ ...startOutcome.failed?.(seconds, error), rung: 'none' }),
};

function passed<T>(outcomes: readonly Outcome<T>[]): MachineRef[] {
  return outcomes.flatMap(({ ok, target }) => (ok ? [target] : []));
}
