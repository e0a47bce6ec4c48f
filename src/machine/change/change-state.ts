import { delay } from '../../base/abort.ts';
import { errorCode, MachineStateError } from '../../base/errors.ts';
import { QmpClient } from '../../qmp/client.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import type { MachineRef } from '../context.ts';
import { failedDisks, failedDrives, queryState } from '../control/query-state.ts';
import { describeState, stateRule } from '../control/run-state.ts';
import type { AnyMonitor } from '../control/ways.ts';
import { refuseToLetRun } from '../move/refuse-moved.ts';
import { wakeGuest } from '../stop/wake-guest.ts';

/** What became of a machine whose state was changed. */
export interface StateChange {
  /** What was done. */
  readonly outcome: 'paused' | 'resumed' | 'reset' | 'woken' | 'awake' | 'machine-made';
  /** The state that was seen then, as `status` has it. */
  readonly state: string;
}

/** Where a change is made, and how long QEMU may take for each answer. */
export interface ChangeContext extends ExecuteOptions {
  readonly client: AnyMonitor;
  readonly target: MachineRef;
  /** Where a drive (`dsk1`) has no room, if it still has none, as a clause; for {@link resume}. */
  readonly whyFull?: ((drive: string) => string | undefined) | undefined;
}

/** How long QEMU may take to do what it has confirmed; it takes milliseconds. */
const EFFECT_MS = 5_000;

/** A disk that failed fails again as soon as the guest runs; after this its requests have gone through. */
const RETRY_MS = 500;

/**
 * Stops the processors. A machine whose processors stand still already is left as it is.
 *
 * @throws {MachineStateError} when the guest runs then, or may run by itself.
 */
export async function pause(context: ChangeContext): Promise<StateChange> {
  await context.client.executeRaw('stop', undefined, context);
  const state = await queryState(context.client, context);
  if (stateRule(state).isStill) return { outcome: 'paused', state };
  throw notIn('paused', state, context);
}

/**
 * Lets the processors run.
 *
 * @throws {MachineStateError} when they do not run then; `QEMU_MACHINE_STATE` for a guest that may run elsewhere.
 */
export async function resume(context: ChangeContext): Promise<StateChange> {
  refuseToLetRun(context.target, 'resume');
  const { client } = context;
  const before = await queryState(client, context);
  const { resume: treatment } = stateRule(before);
  if (treatment !== 'cont') throw notIn('resumed', before, context, treatment.refused);
  if (before === 'io-error') await refuseWithoutRoom(context);
  const since = eventsOf(client);
  await client.executeRaw('cont', undefined, context);
  // QEMU repeats the requests that failed, and stops again when they fail again.
  if (before === 'io-error') await happens(client, 'STOP', since, RETRY_MS, context.signal);
  const state = await queryState(client, context);
  if (state === 'running') return { outcome: 'resumed', state };
  throw notIn('resumed', state, context, state === 'io-error' ? await whyFailed(context) : undefined);
}

/** The guest would only fail again. */
async function refuseWithoutRoom(context: ChangeContext): Promise<void> {
  const failed = await failedDrives(context.client, context);
  const full = failed.flatMap(({ drive, reason }) => (reason === 'nospace' ? (context.whyFull?.(drive) ?? []) : []));
  if (full.length > 0) throw notIn('resumed', 'io-error', context, full.join(', '));
}

async function whyFailed(context: ChangeContext): Promise<string | undefined> {
  const disks = await failedDisks(context.client, context);
  return disks.length === 0 ? undefined : disks.join(', ');
}

/**
 * Presses the reset button. A machine that did not run before it does not run after it.
 *
 * @throws {MachineStateError} when QEMU does not reset it in time.
 */
export async function reset(context: ChangeContext): Promise<StateChange> {
  refuseToLetRun(context.target, 'reset');
  const { client } = context;
  const since = eventsOf(client);
  await client.executeRaw('system_reset', undefined, context);
  if (await happens(client, 'RESET', since, EFFECT_MS, context.signal)) {
    return { outcome: 'reset', state: await stateOrEnd(context) };
  }
  const state = await stateOrEnd(context);
  // With -no-reboot that is what a reset does.
  if (state === 'stopped') return { outcome: 'reset', state };
  throw notIn('reset', state, context);
}

/**
 * Wakes a guest that sleeps. One that is awake is left alone.
 *
 * @throws {MachineStateError} when it does not run then.
 */
export async function wake(context: ChangeContext): Promise<StateChange> {
  refuseToLetRun(context.target, 'wake');
  const { client } = context;
  const before = await queryState(client, context);
  if (before === 'running') return { outcome: 'awake', state: before };
  if (before !== 'suspended') throw notIn('woken', before, context);
  await wakeGuest(client, context);
  const state = await queryState(client, context);
  if (state === 'running') return { outcome: 'woken', state };
  throw notIn('woken', state, context);
}

/**
 * Makes the machine that was started with `--preconfig`.
 *
 * @param made is run at once then: what QEMU refused before.
 */
export async function exitPreconfig(context: ChangeContext, made: () => Promise<void>): Promise<StateChange> {
  await context.client.executeRaw('x-exit-preconfig', undefined, context);
  await made();
  return { outcome: 'machine-made', state: await queryState(context.client, context) };
}

/** The human monitor has no events. */
function eventsOf(client: AnyMonitor): number {
  return client instanceof QmpClient ? client.eventCount : 0;
}

/** Whether an event comes in time. The human monitor prints its prompt when the command is done. */
async function happens(
  client: AnyMonitor,
  event: string,
  since: number,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (!(client instanceof QmpClient)) {
    await delay(Math.min(timeoutMs, RETRY_MS), signal);
    return true;
  }
  try {
    await client.waitForEvent(event, undefined, { since, timeoutMs, signal });
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'QEMU_TIMEOUT' && code !== 'QEMU_QMP_CLOSED') throw error;
    return false;
  }
}

async function stateOrEnd(context: ChangeContext): Promise<string> {
  try {
    return await queryState(context.client, context);
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'QEMU_QMP_CLOSED' && code !== 'QEMU_QMP_STATE') throw error;
    return 'stopped';
  }
}

function notIn(wanted: string, state: string, { target }: ChangeContext, why?: string): MachineStateError {
  const name = target.longName;
  const { way } = stateRule(state);
  const reason = why === undefined ? '' : `: ${why}`;
  const hint = way === undefined || way === 'resume' ? undefined : `qemu-init ${way} ${name}`;
  const message = `Machine "${name}" is not ${wanted}, but ${describeState(state)}${reason}`;
  return new MachineStateError('QEMU_MACHINE_STATE', message, state, {
    hint: hint ?? `see: qemu-init status ${name}`,
  });
}
