import { MachineStateError } from '../../base/errors.ts';
import type { ChangeContext, StateChange } from '../../machine/change/change-state.ts';
import type { MachineRef } from '../../machine/context.ts';
import { withAnyMonitor } from '../../machine/control/control-port.ts';
import type { Context } from '../run/context.ts';
import { present } from '../shared/many.ts';
import { type SelectionArguments, select } from '../shared/selection.ts';

/** QEMU answers in a millisecond; one that is busy with a slow disk may take seconds. */
const MONITOR_TIMEOUT_MS = 10_000;

/** Changes the state of running machines over their own sockets, and reports the resulting state of each. */
export async function changeState(
  context: Context,
  args: SelectionArguments,
  change: (monitor: ChangeContext, target: MachineRef) => Promise<StateChange>,
  timeoutMs = MONITOR_TIMEOUT_MS,
): Promise<number> {
  const fleet = context.fleet();
  const { signal } = context;
  const selection = select(context, args, () => fleet.listWithRunning().filter((target) => fleet.isAlive(target)));
  const outcomes = await fleet.each(selection.targets, selection.targets.length, (target) =>
    withAnyMonitor(fleet.host, target, { timeoutMs: MONITOR_TIMEOUT_MS, signal }, (client) =>
      change({ client, name: target.longName, timeoutMs, signal }, target),
    ),
  );
  return present<StateChange>(context, selection, outcomes, {
    text: (name, { outcome, state }) =>
      `${name}: ${outcome.replaceAll('-', ' ')}${EXPECTED[outcome] === state ? '' : ` (${state})`}`,
    json: ({ outcome, state }) => ({ outcome, state }),
    failed: (_, error) => ({ outcome: 'failed', state: error instanceof MachineStateError ? error.state : undefined }),
  });
}

/** The state that needs no mention. */
const EXPECTED: Readonly<Record<StateChange['outcome'], string>> = {
  paused: 'paused',
  resumed: 'running',
  reset: 'running',
  woken: 'running',
  awake: 'running',
  'machine-made': 'running',
};
