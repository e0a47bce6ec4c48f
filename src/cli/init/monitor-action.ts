import type { Target } from '../../machine/host.ts';
import type { QmpClient } from '../../qmp/client.ts';
import type { Context } from '../context.ts';
import { present } from '../many.ts';
import { type SelectionArguments, select } from '../selection.ts';

/** Does something to running machines over their own sockets, and says `done` of each. */
export async function forEachRunning(
  context: Context,
  args: SelectionArguments,
  done: string,
  work: (client: QmpClient, target: Target) => Promise<void>,
): Promise<number> {
  const fleet = context.fleet();
  const selection = select(context, args, () => fleet.listWithRunning().filter((target) => fleet.isAlive(target)));
  const outcomes = await fleet.each(selection.targets, selection.targets.length, (target) =>
    fleet.withMonitor(target, (client) => work(client, target), context.signal),
  );
  return present(context, selection, outcomes, {
    text: (name) => `${name}: ${done}`,
    // As one word, like all outcomes: machine-made.
    json: () => ({ outcome: done.replaceAll(' ', '-') }),
    failed: () => ({ outcome: 'failed' }),
  });
}
