import { type ReloadResult, reloadMachine } from '../../../machine/change/reload.ts';
import type { Context } from '../../run/context.ts';
import { type Presentation, present } from '../../shared/many.ts';
import { type SelectionArguments, select } from '../../shared/selection.ts';

interface Arguments extends SelectionArguments {
  readonly timeout: number;
}

/** Makes running machines what their files say. */
export async function run(context: Context, args: Arguments): Promise<number> {
  const fleet = context.fleet();
  const options = { timeoutMs: args.timeout * 1000, signal: context.signal };
  const selection = select(context, args, () => fleet.list().filter((target) => fleet.isAlive(target)));
  const outcomes = await fleet.each(selection.targets, 1, (target) =>
    reloadMachine(fleet.host, target, fleet.config(target), options),
  );
  return present<ReloadResult>(context, selection, outcomes, reloadOutcome);
}

/** How a reload is shown. */
export const reloadOutcome: Presentation<ReloadResult> = {
  text: (name, { applied }) =>
    `${name}: ${applied.length === 0 ? 'nothing to change' : `changed ${applied.join(', ')}`}`,
  json: ({ applied }) => ({ outcome: 'reloaded', applied }),
  failed: () => ({ outcome: 'failed' }),
};
