import { MachineStateError, QemuError } from '../../../base/errors.ts';
import type { ChangeContext, StateChange } from '../../../machine/change/change-state.ts';
import * as change from '../../../machine/change/change-state.ts';
import type { MachineRef } from '../../../machine/context.ts';
import { withAnyMonitor } from '../../../machine/control/control-port.ts';
import { whyFull } from '../../../machine/observe/disk-room.ts';
import { setVncPassword } from '../../../machine/start/vnc-password.ts';
import { QmpClient } from '../../../qmp/client.ts';
import type { Context } from '../../run/context.ts';
import { present } from '../../shared/many.ts';
import { type SelectionArguments, select } from '../../shared/selection.ts';

/** QEMU answers in a millisecond; one that is busy with a slow disk may take seconds. */
const MONITOR_TIMEOUT_MS = 10_000;

/** QEMU creates machines in milliseconds, but takes longer if it must preallocate memory. */
const PRECONFIG_TIMEOUT_MS = 60_000;

/** An action that changes the state of running machines. */
type StateAction = (context: Context, args: SelectionArguments) => Promise<number>;

export const pause: StateAction = (context, args) => changeState(context, args, change.pause);
export const resume: StateAction = (context, args) => changeState(context, args, change.resume);
export const reset: StateAction = (context, args) => changeState(context, args, change.reset);
export const wake: StateAction = (context, args) => changeState(context, args, change.wake);

export const exitPreconfig: StateAction = (context, args) =>
  changeState(
    context,
    args,
    (monitor, target) =>
      change.exitPreconfig(monitor, async () => {
        const { config } = context.fleet().inspect(target);
        if (!config) return;
        // Secrets never go over the human monitor; until a password is set, QEMU refuses all viewers.
        if (monitor.client instanceof QmpClient) await setVncPassword(config, monitor.client);
        else if (config.vnc.kind !== 'off' && config.vnc.passwordFile !== undefined)
          throw passwordNotSet(target.longName);
      }),
    PRECONFIG_TIMEOUT_MS,
  );

function passwordNotSet(longName: string): QemuError {
  return new QemuError('QEMU_TIMEOUT', `Cannot set the VNC password of machine "${longName}"`, {
    hint: `other clients use its QMP monitors; later: qemu-init restart ${longName}`,
  });
}

/** Changes the state of running machines over their own sockets, and reports the resulting state of each. */
async function changeState(
  context: Context,
  args: SelectionArguments,
  apply: (monitor: ChangeContext, target: MachineRef) => Promise<StateChange>,
  timeoutMs = MONITOR_TIMEOUT_MS,
): Promise<number> {
  const fleet = context.fleet();
  const { signal } = context;
  const selection = select(context, args, () => fleet.listWithRunning().filter((target) => fleet.isAlive(target)));
  const outcomes = await fleet.each(selection.targets, selection.targets.length, (target) =>
    withAnyMonitor(fleet.host, target, { timeoutMs: MONITOR_TIMEOUT_MS, signal }, (client) =>
      apply({ client, target, timeoutMs, signal, whyFull: (drive) => whyFull(fleet.host, target, drive) }, target),
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
