import { QemuError } from '../../base/errors.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import { type MachineContext, type MachineRef, notRunning } from '../context.ts';
import { refuseMoved } from '../move/refuse-moved.ts';
import { askState } from '../observe/status.ts';
import { cleanUp } from '../run/clean-up.ts';
import { goneOf, locate } from '../run/locate.ts';
import { exclusively } from '../run/run-lock.ts';
import { runStopHook, type StopHookConfig } from '../stop/stop-hook.ts';
import { settleFirst } from '../work/settle-first.ts';
import { saveRunning } from './save.ts';
import { isSaved } from './saved-folder.ts';

/** What became of a save. */
export interface SaveResult {
  readonly outcome: 'saved' | 'already-saved';
  /** What the state takes on the disk; undefined for one that was saved before. */
  readonly sizeBytes: number | undefined;
  readonly seconds: number;
}

/**
 * Saves the state of a guest and ends its QEMU; the next start goes on from it. PRESTOP and POSTSTOP run as for a stop.
 *
 * @throws {QemuError} `QEMU_NOT_RUNNING`, `QEMU_MACHINE_STATE` when it cannot be saved, `QEMU_IO` when there is no room,
 * `QEMU_COMMAND_FAILED`, `QEMU_LOCKED`, `QEMU_ABORTED`: the guest goes on as before then.
 */
export async function saveMachine(
  host: MachineContext,
  target: MachineRef,
  config: StopHookConfig,
  options: LongWorkOptions = {},
): Promise<SaveResult> {
  const began = performance.now();
  const seconds = (): number => Math.round(performance.now() - began) / 1000;
  const { signal } = options;
  return exclusively(host, target, { purpose: 'save', signal }, async () => {
    await settleFirst(host, target);
    const located = locate(target.files);
    if (located.kind !== 'alive') {
      if (!isSaved(target.files)) throw notRunning(target);
      await cleanUp(host, target, located);
      return { outcome: 'already-saved', sizeBytes: undefined, seconds: seconds() };
    }
    refuseMoved(target, 'save');
    const hook = (name: 'PRESTOP' | 'POSTSTOP', pid?: number): Promise<void> =>
      runStopHook(host, target, config, name, { signal, isSaved: true }, pid);
    try {
      const sizeBytes = await saveRunning(host, target, located, options, () => hook('PRESTOP', located.process.pid));
      await cleanUp(host, target, goneOf(target.files, located.record));
      await hook('POSTSTOP');
      return { outcome: 'saved', sizeBytes, seconds: seconds() };
    } catch (error) {
      throw await withState(target, error);
    }
  });
}

/** An interrupted save, with the state that the machine was seen in afterwards. */
async function withState(target: MachineRef, error: unknown): Promise<unknown> {
  if (!(error instanceof QemuError) || error.code !== 'QEMU_ABORTED') return error;
  const isThere = locate(target.files).kind === 'alive';
  const state = isThere ? await askState(target.files) : 'stopped';
  return new QemuError('QEMU_ABORTED', 'Saving was interrupted', {
    cause: error.cause,
    hint: `the machine is ${state}`,
  });
}
