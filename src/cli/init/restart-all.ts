import type { Outcome } from '../../fleet/outcome.ts';
import type { Rung } from '../../machine/ladder.ts';
import type { StartResult } from '../../machine/start.ts';
import type { Context } from '../context.ts';
import { present } from '../many.ts';
import type { Selection } from '../selection.ts';
import { startOutcome } from './start-outcome.ts';
import type { StopArguments } from './stop.ts';

type RestartResult = StartResult & { readonly rung: Rung };

/** Stops and then starts machines; one that could not be stopped is not started. */
export async function restartAll(context: Context, selection: Selection, args: StopArguments): Promise<number> {
  const fleet = context.fleet();
  const { signal } = context;
  const stopped = await fleet.stopMany(selection.targets, {
    force: args.force,
    stopDelayMs: args.timeout === undefined ? undefined : args.timeout * 1000,
    parallel: args.parallel,
    signal,
  });
  const startable = stopped.flatMap((outcome) => (outcome.ok ? [outcome.target] : []));
  const started = await fleet.startMany(startable, { parallel: args.parallel, signal });
  const outcomes = stopped.map((stop): Outcome<RestartResult> => {
    if (!stop.ok) return stop;
    const start = started.find(({ target }) => target.longName === stop.target.longName);
    if (!start) return { target: stop.target, ok: false, error: new Error('Not started') };
    return start.ok ? { ...start, value: { ...start.value, rung: stop.value.rung } } : start;
  });
  return present<RestartResult>(context, selection, outcomes, {
    ...startOutcome,
    text: (name, value) =>
      value.rung === 'none'
        ? startOutcome.text(name, value)
        : `${startOutcome.text(name, value)}, stopped by ${value.rung}`,
    json: (value) => ({ ...startOutcome.json(value), rung: value.rung }),
  });
}
