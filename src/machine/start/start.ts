import type { MachineConfig } from '../../config/types.ts';
import { type ProcessInfo, sendSignal, waitForExit } from '../../system/process/process.ts';
import type { Allocation } from '../allocation.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { withCurrentDisks } from '../disks/current-disks.ts';
import { runHook } from '../hooks.ts';
import { refuseMoved } from '../move/refuse-moved.ts';
import { thawLeftover } from '../quiesce/thaw.ts';
import { cleanUp } from '../run/clean-up.ts';
import { goneOf, locate } from '../run/locate.ts';
import { type RunRecord, writeRecord } from '../run/record.ts';
import { exclusively } from '../run/run-lock.ts';
import { refuseHalfReverted } from '../snapshot/half-reverted.ts';
import { forgetSpent, loadError, putBack } from '../state/load.ts';
import { moveSaved } from '../state/saved-folder.ts';
import { refuseWhileAtWork, settleFirst } from '../work/settle-first.ts';
import { type StartResult, startFacts } from './already-running.ts';
import { launchInSlot } from './launch-in-slot.ts';
import type { StartOptions } from './launch-request.ts';
import { type Arriving, launchWith, type Up } from './launch-with.ts';
import { type Prepared, prepare } from './prepare.ts';
import { recoverStart } from './recover-start.ts';
import { dropForFresh, isHalfLoaded, savedStart, setGuestClock } from './saved-start.ts';
import { noteImages, refuseStorageInUse } from './use-images.ts';

/**
 * Starts a machine and returns when its QEMU answers. One that runs already is left alone. Whatever goes wrong is
 * undone before this throws.
 *
 * @throws {ConfigError} when something that the configuration names is wrong on this host.
 * @throws {LaunchError} when QEMU does not come up.
 * @throws {QemuError} `QEMU_NOT_INSTALLED`, `QEMU_COMMAND_FAILED` for a failing PRECMD, `QEMU_ABORTED`, `QEMU_LOCKED`.
 */
export async function startMachine(
  host: MachineContext,
  target: MachineRef,
  given: MachineConfig,
  options: StartOptions = {},
): Promise<StartResult> {
  const began = performance.now();
  let config = given;
  const seconds = (): number => Math.round(performance.now() - began) / 1000;
  let hasAgent = false;
  const result = await exclusively(host, target, { purpose: 'start', signal: options.signal }, async () => {
    await settleFirst(host, target);
    refuseMoved(target, 'start');
    config = withCurrentDisks(host, target, given);
    let located = locate(target.files);
    if (located.kind === 'alive' && isHalfLoaded(target, located.record, located.process)) {
      await killProcess(located.process);
      located = goneOf(target.files, located.record);
    }
    if (located.kind === 'alive') {
      const record = await recoverStart(target, config, located, options.signal);
      await thawLeftover(host, target);
      forgetSpent(target);
      return { outcome: 'already-running' as const, restored: false, ...startFacts(located.process.pid, record) };
    }
    refuseWhileAtWork(target);
    refuseHalfReverted(target);
    await cleanUp(host, target, located);
    const { pid, record, loaded } = await startFresh(host, target, config, options);
    hasAgent = loaded?.hasAgent === true;
    return { outcome: 'started' as const, restored: loaded !== undefined, ...startFacts(pid, record) };
  });
  await options.onUp?.(result);
  if (hasAgent) await setGuestClock(host, target, options.signal);
  // Without the lock: the guest runs, and a stop must not wait for a slow command.
  if (result.outcome === 'started') await runPostCommand(host, target, config, result.pid, options.signal);
  return { ...result, seconds: seconds() };
}

/**
 * Starts the QEMU that a guest is to arrive at from another one; it waits for that, and the guest does not run then
 * (`-incoming defer -S`). Under the machine's lock, of a machine that does not run. Whatever goes wrong is undone.
 *
 * @throws {ConfigError | LaunchError | QemuError} as {@link startMachine}.
 */
export async function startForArrival(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  arriving: Arriving,
  options: Pick<StartOptions, 'signal' | 'onSpawn'>,
): Promise<{ readonly pid: number }> {
  return startFresh(host, target, config, { ...options, arriving });
}

/**
 * Starts a second QEMU of a machine that runs, which its guest is to go on in; it waits for that. Under the machine's
 * lock. What it leaves when it fails is the caller's.
 *
 * @param target with the files of the second one.
 * @returns its record, which is written.
 * @throws {LaunchError | QemuError} as {@link startMachine}.
 */
export async function startBeside(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  prepared: Prepared,
  { allocation, arriving, signal }: { allocation: Allocation; arriving: Arriving; signal: AbortSignal },
): Promise<RunRecord> {
  const { record } = await launchWith(host, target, config, prepared, allocation, {
    saved: undefined,
    arriving,
    signal,
  });
  writeRecord(target.files, record);
  return record;
}

async function startFresh(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  options: StartOptions & { readonly arriving?: Arriving | undefined },
): Promise<Omit<Up, 'launched'> & { readonly pid: number }> {
  const { signal } = options;
  const prepared = await prepare(host, config, target.files, signal);
  refuseStorageInUse(host, config);
  const saved = options.arriving ? undefined : await savedStart(host, target, config, prepared, options);
  try {
    await runHook(host, target, 'PRECMD', config.preCommand, { cwd: config.dir, signal });
    noteImages(host, target, prepared.images);
    if (options.fresh === true) dropForFresh(host, target);
    if (saved) moveSaved(target.files, 'saved', 'loading');
    const { launched, record, loaded } = await launchInSlot(host, target, config, prepared, { ...options, saved });
    writeRecord(target.files, record);
    forgetSpent(target);
    return { pid: launched.pid, record, loaded };
  } catch (error) {
    const { kind } = locate(target.files);
    if (options.keepInterrupted && signal?.aborted && kind === 'alive') throw error;
    await undo(host, target, config);
    if (saved) putBack(target);
    throw saved ? loadError(target, error) : error;
  }
}

/** Ends what a start that failed has begun: its QEMU, what was made for it, and what PRECMD has started. */
async function undo(host: MachineContext, target: MachineRef, config: MachineConfig): Promise<void> {
  const located = locate(target.files);
  if (located.kind === 'alive') await killProcess(located.process);
  await cleanUp(host, target, goneOf(target.files, located.record));
  try {
    const detail = { cwd: config.dir, reason: 'start-failed', timeoutMs: UNDO_TIMEOUT_MS } as const;
    await runHook(host, target, 'POSTSTOP', config.postStop, detail);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    host.notify({ level: 'warning', machine: target.longName, message });
  }
}

/** For POSTSTOP after a failed start: the caller waits for it. */
const UNDO_TIMEOUT_MS = 30_000;

export async function runPostCommand(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  pid: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await runHook(host, target, 'POSTCMD', config.postCommand, { cwd: config.dir, pid, signal });
  } catch (error) {
    // The guest runs by now: ending it because of this would lose more than it saves.
    const message = error instanceof Error ? error.message : String(error);
    host.notify({ level: 'warning', machine: target.longName, message });
  }
}

async function killProcess({ pid, startTime }: Pick<ProcessInfo, 'pid' | 'startTime'>): Promise<void> {
  if (sendSignal(pid, startTime, 'SIGKILL')) await waitForExit(pid, startTime, KILL_TIMEOUT_MS);
}

const KILL_TIMEOUT_MS = 10_000;
