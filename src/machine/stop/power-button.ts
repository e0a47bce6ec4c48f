import { errorCode } from '../../base/errors.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import { queryState } from '../control/query-state.ts';
import { stateRule } from '../control/run-state.ts';
import type { AnyMonitor } from '../control/ways.ts';
import { wakeGuest } from './wake-guest.ts';

/** What was found, and done, at a machine whose guest is to go down. */
export interface Visit {
  /** The state before anything was done. */
  readonly state: string;
  /**
   * `seen`: nothing was to be done. `asked`: the button was pressed, if that was wanted. `roused`: the same, after the guest was
   * woken up or let run. `later`: QEMU is busy with the guest. `deaf`: there is no guest that could hear. `off`: it is down.
   */
  readonly done: 'seen' | 'asked' | 'roused' | 'later' | 'deaf' | 'off';
}

export interface VisitOptions extends ExecuteOptions {
  /** Whether the guest is to be asked now, or only looked at. */
  readonly isDue: boolean;
  /** Whether to press the button; else the guest is only made ready for its agent. */
  readonly powerButton: boolean;
  readonly trace: (message: string) => void;
}

/**
 * Looks at a guest that is to go down, and presses its power button when that is due. A guest that sleeps is woken up for it,
 * and one that is held is let run.
 *
 * @throws {QemuError} as {@link QmpClient.execute}, as long as the button was not pressed.
 */
export async function visitGuest(client: AnyMonitor, options: VisitOptions): Promise<Visit> {
  const { isDue, powerButton, trace } = options;
  const state = await queryState(client, options);
  trace(`QMP query-status: ${state}`);
  const { button } = stateRule(state);
  if (button === 'off') return { state, done: 'off' };
  if (button === 'never') return { state, done: 'deaf' };
  if (!isDue) return { state, done: 'seen' };
  if (button === 'later') return { state, done: 'later' };
  if (button !== 'press') {
    trace(`QMP ${button === 'wake' ? 'system_wakeup' : 'cont'}`);
    const rouse = button === 'wake' ? wakeGuest(client, options) : client.executeRaw('cont', undefined, options);
    // A guest without a way to be woken up, or whose disks another QEMU has now.
    if (!(await isDone(rouse))) return { state, done: 'deaf' };
  }
  if (powerButton) await press(client, options);
  return { state, done: button === 'press' ? 'asked' : 'roused' };
}

/** False when QEMU refuses the command. */
async function isDone(command: Promise<unknown>): Promise<boolean> {
  try {
    await command;
    return true;
  } catch (error) {
    if (errorCode(error) !== 'QEMU_QMP_REFUSED') throw error;
    return false;
  }
}

async function press(client: AnyMonitor, options: VisitOptions): Promise<void> {
  options.trace('QMP system_powerdown');
  try {
    await client.executeRaw('system_powerdown', undefined, options);
  } catch {
    // A guest may be faster to go down than QEMU's answer is to come.
  }
}
