import type { StopResult } from '../../../machine/stop/stop.ts';
import type { Context } from '../../run/context.ts';
import { present } from '../../shared/many.ts';
import { type SelectionArguments, select } from '../../shared/selection.ts';
import { stopOutcome } from './stop-outcome.ts';

export async function run(
  context: Context,
  args: SelectionArguments & { readonly parallel?: number },
): Promise<number> {
  const fleet = context.fleet();
  const selection = select(context, args, () => fleet.listWithRunning());
  const { targets } = selection;
  const outcomes = await fleet.each(targets, args.parallel ?? targets.length, (target) =>
    fleet.kill(target, context.signal),
  );
  return present<StopResult>(context, selection, outcomes, stopOutcome);
}
