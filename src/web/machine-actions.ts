import { QemuError } from '../base/errors.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { type ChangeContext, pause, reset, resume, type StateChange } from '../machine/change/change-state.ts';
import type { MachineRef } from '../machine/context.ts';
import { withAnyMonitor } from '../machine/control/control-port.ts';

/** What a page may do with a machine. */
export const MACHINE_ACTIONS = ['start', 'stop', 'pause', 'resume', 'reset'] as const;

export type MachineAction = (typeof MACHINE_ACTIONS)[number];

const TIMEOUT_MS = 10_000;

/**
 * Does it, by the same ways as the command of that name.
 *
 * @returns what was done, as a sentence.
 * @throws {QemuError} as that command.
 */
export async function actOn(fleet: Fleet, name: string, action: MachineAction, signal: AbortSignal): Promise<string> {
  const target = fleet.get(name);
  switch (action) {
    case 'start': {
      const { outcome, seconds } = await fleet.start(target, { signal });
      return outcome === 'already-running' ? 'was running already' : `started in ${seconds} s`;
    }
    case 'stop': {
      const { outcome, rung, seconds } = await fleet.stop(target, { signal });
      return outcome === 'not-running' ? 'was not running' : `stopped by ${rung} in ${seconds} s`;
    }
    case 'pause':
      return change(fleet, target, pause, signal);
    case 'resume':
      return change(fleet, target, resume, signal);
    case 'reset':
      return change(fleet, target, reset, signal);
  }
}

async function change(
  fleet: Fleet,
  target: MachineRef,
  apply: (context: ChangeContext) => Promise<StateChange>,
  signal: AbortSignal,
): Promise<string> {
  const options = { timeoutMs: TIMEOUT_MS, signal };
  const { outcome, state } = await withAnyMonitor(fleet.host, target, options, (client) =>
    apply({ client, name: target.longName, ...options }),
  );
  return `${outcome.replaceAll('-', ' ')} (${state})`;
}

/** The action of that name. @throws {QemuError} `QEMU_USAGE` */
export function actionOf(word: string): MachineAction {
  const action = MACHINE_ACTIONS.find((each) => each === word);
  if (action === undefined) throw new QemuError('QEMU_USAGE', 'There is no such action');
  return action;
}
