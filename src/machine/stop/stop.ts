import { checkTimeout, MOST_TIMER_MS } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import { type ProcessInfo, waitForExit } from '../../system/process/process.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { refuseMoved } from '../move/refuse-moved.ts';
import { askState } from '../observe/status.ts';
import { cleanUp } from '../run/clean-up.ts';
import { killQemu } from '../run/last-run.ts';
import { goneOf, type Located, locate } from '../run/locate.ts';
import { exclusively, lockedIfPossible } from '../run/run-lock.ts';
import { isSaved } from '../state/saved-folder.ts';
import { settleFirst, tellAtWork } from '../work/settle-first.ts';
import { leftMs, runStopHook } from './stop-hook.ts';
import { describeStop, type OnStopStep, planStop, type Rung, SIGKILL_MS, type Step } from './stop-plan.ts';
import { runStopSteps, stillThere } from './stop-steps.ts';

/** How to stop a machine. */
export interface StopOptions {
  /** Only ask the guest; throw when it does not go. */
  readonly noKill?: boolean | undefined;
  /**
   * Saves the state of the guest, if that is possible within STOPDELAY; else the guest is asked to shut down as
   * otherwise.
   */
  readonly save?: boolean | undefined;
  /** Do not ask the guest: begin at `quit`. */
  readonly force?: boolean | undefined;
  /** Instead of STOPDELAY. */
  readonly stopDelayMs?: number | undefined;
  /**
   * When the guest is to be down, on the clock of `performance.now()`: other commands are waited for no longer, PRESTOP
   * has half of the time that is left, and the guest the rest.
   */
  readonly deadline?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called when a step of the stop begins. */
  readonly onStep?: OnStopStep | undefined;
}

/** What became of a stop. */
export interface StopResult {
  readonly outcome: 'stopped' | 'not-running';
  /** What ended it. */
  readonly rung: Rung;
  /** Whether it has a saved state, from which the next start goes on. */
  readonly saved: boolean;
  /** The state that was seen then, as `status` has it: `stopped`, unless another command has started it at once. */
  readonly state: string;
  readonly seconds: number;
}

/** What stop needs of a configuration; a machine whose file is broken has these. */
export type StopConfig = Pick<MachineConfig, 'stopDelaySeconds' | 'stopMethod' | 'preStop' | 'postStop' | 'dir'>;

/**
 * Stops a machine, more forcefully at each step, and reports which step ended it. One that is not running is a success.
 *
 * @throws {QemuError} `QEMU_STOP_FAILED` when it still runs, `QEMU_ABORTED`, `QEMU_LOCKED`, `QEMU_NOT_PERMITTED`;
 * `QEMU_USAGE` for a bad time limit.
 */
export async function stopMachine(
  host: MachineContext,
  target: MachineRef,
  config: StopConfig,
  options: StopOptions = {},
): Promise<StopResult> {
  checkStopOptions(options);
  const began = performance.now();
  const body = async (): Promise<StopResult> => {
    // A guest that waits for its disk cannot shut down.
    await settleFirst(host, target);
    const located = locate(target.files);
    if (located.kind !== 'alive') {
      await cleanUp(host, target, located);
      return stopped(target, 'none', began);
    }
    // Ended at the other end of its move, or for good, only by those who mean that, and by a shutdown of the host.
    if (options.force !== true && options.deadline === undefined) refuseMoved(target, 'stop');
    tellAtWork(host, target);
    await runStopHook(host, target, config, 'PRESTOP', options, located.process.pid);
    const isSavedNow = options.save === true && (await trySave(host, target, config, options, located));
    const rung = isSavedNow ? 'save' : await endInSteps(host, target, located.process, config, options);
    const stop = describeStop(rung, secondsSince(began));
    await cleanUp(host, target, goneOf(target.files, located.record), { stop });
    await runStopHook(host, target, config, 'POSTSTOP', { ...options, isSaved: isSavedNow });
    return stopped(target, rung, began);
  };
  const { force, deadline, signal } = options;
  if (force !== true && deadline === undefined) {
    return lockedIfPossible((locked) => exclusively(host, target, { purpose: 'stop', signal }, locked), body);
  }
  const patienceMs = Math.max(IMPATIENT_LOCK_MS, force === true ? 0 : leftMs(options));
  return forcibly(host, target, { timeoutMs: patienceMs, signal }, body, async () => {
    const located = locate(target.files);
    if (located.kind !== 'alive') return seenAfter(target, 'none', began);
    const rung = await endInSteps(host, target, located.process, config, options);
    return seenAfter(target, rung, began);
  });
}

/** @throws {QemuError} `QEMU_USAGE` for a time limit that is not a number from 0. */
export function checkStopOptions({ stopDelayMs, deadline }: StopOptions): void {
  if (stopDelayMs !== undefined) checkTimeout(stopDelayMs, 'stopDelayMs');
  if (deadline !== undefined) checkTimeout(deadline, 'deadline');
}

function endInSteps(
  host: MachineContext,
  target: MachineRef,
  process: ProcessInfo,
  config: StopConfig,
  options: StopOptions,
): Promise<Rung> {
  return runStopSteps(host, target, process, stepsFor(config, options), options.signal, options.onStep);
}

function stepsFor(config: StopConfig, options: StopOptions): Step[] {
  return planStop({
    method: config.stopMethod,
    stopDelayMs: Math.min(options.stopDelayMs ?? config.stopDelaySeconds * 1000, leftMs(options)),
    noKill: options.noKill === true,
    force: options.force === true,
  });
}

/** Whether the state of the guest could be saved; QEMU has ended then. A reason why not is a warning. */
async function trySave(
  host: MachineContext,
  target: MachineRef,
  config: StopConfig,
  options: StopOptions,
  located: Extract<Located, { kind: 'alive' }>,
): Promise<boolean> {
  const { signal } = options;
  const limitMs = Math.min(options.stopDelayMs ?? config.stopDelaySeconds * 1000, leftMs(options));
  const late = AbortSignal.timeout(Math.min(Math.ceil(limitMs), MOST_TIMER_MS));
  try {
    const { saveRunning } = await import('../state/save.ts');
    await saveRunning(host, target, located, { signal: signal ? AbortSignal.any([signal, late]) : late });
    return true;
  } catch (error) {
    if (!(error instanceof QemuError) || signal?.aborted) throw error;
    const reason = late.aborted ? 'saving it took longer than STOPDELAY' : error.message;
    const message = `it is shut down, not saved: ${reason}`;
    host.notify({ level: 'warning', machine: target.longName, message });
    return false;
  }
}

/** Ends QEMU at once with SIGKILL, even while another command uses the machine. */
export async function killMachine(host: MachineContext, target: MachineRef, signal?: AbortSignal): Promise<StopResult> {
  const began = performance.now();
  const kill = async (located: Located): Promise<Rung> => {
    if (located.kind !== 'alive') return 'none';
    const { pid, startTime } = located.process;
    host.notify({ level: 'debug', machine: target.longName, message: `SIGKILL for process ${pid}` });
    killQemu(target, pid, startTime);
    if (!(await waitForExit(pid, startTime, SIGKILL_MS, signal))) throw await stillThere(target, pid);
    return 'sigkill';
  };
  const body = async (): Promise<StopResult> => {
    const located = locate(target.files);
    const rung = await kill(located);
    await cleanUp(host, target, goneOf(target.files, located.record));
    return stopped(target, rung, began);
  };
  return forcibly(host, target, { timeoutMs: IMPATIENT_LOCK_MS, signal }, body, async () => {
    const rung = await kill(locate(target.files));
    await cleanUpSoon(host, target, signal);
    return seenAfter(target, rung, began);
  });
}

/** After a command that does not clean up itself, such as a save, when it soon lets go of a machine whose QEMU was killed. */
async function cleanUpSoon(host: MachineContext, target: MachineRef, signal: AbortSignal | undefined): Promise<void> {
  const options = { purpose: 'stop', timeoutMs: KILLED_LOCK_MS, signal };
  try {
    await exclusively(host, target, options, async () => {
      const located = locate(target.files);
      if (located.kind !== 'alive') await cleanUp(host, target, goneOf(target.files, located.record));
    });
  } catch (error) {
    if (!(error instanceof QemuError) || error.code !== 'QEMU_LOCKED') throw error;
  }
}

/** Under the machine's lock no other command starts it again. */
function stopped({ files }: MachineRef, rung: Rung, began: number, state = 'stopped'): StopResult {
  const seconds = secondsSince(began);
  const saved = state === 'stopped' && isSaved(files);
  return { outcome: rung === 'none' ? 'not-running' : 'stopped', rung, state, saved, seconds };
}

function secondsSince(began: number): number {
  return Math.round(performance.now() - began) / 1000;
}

/** The command that has the lock may have started it again. */
async function seenAfter(target: MachineRef, rung: Rung, began: number): Promise<StopResult> {
  const { kind } = locate(target.files);
  return stopped(target, rung, began, kind === 'alive' ? await askState(target.files) : kind);
}

/** How long a command that brooks no delay waits for the one that is busy with the machine. */
const IMPATIENT_LOCK_MS = 300;
/** How long that one may take to see that QEMU was killed. */
const KILLED_LOCK_MS = 3000;

/** Runs `body` under the lock, or, when another command holds it, `unlocked`: that command then cleans up. */
async function forcibly(
  host: MachineContext,
  target: MachineRef,
  lock: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined },
  body: () => Promise<StopResult>,
  unlocked: () => Promise<StopResult>,
): Promise<StopResult> {
  const options = { purpose: 'stop', ...lock };
  try {
    return await lockedIfPossible((locked) => exclusively(host, target, options, locked), body);
  } catch (error) {
    if (error instanceof QemuError && error.code === 'QEMU_LOCKED') return unlocked();
    throw error;
  }
}
