import { rmdirSync } from 'node:fs';
import { removeWithLeftovers } from '../../system/files/files.ts';
import { removeTree } from '../../system/files/remove-tree.ts';
import type { MachinePaths } from '../../system/paths.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { removeKeys } from '../storage/image-keys.ts';
import { removeCopies } from './kept.ts';
import { type MachineEnd, type ProcessExit, writeLastRun } from './last-run.ts';
import { releaseSlot } from './slots.ts';

/**
 * Removes everything that a run leaves behind. Only for a machine whose QEMU is gone, and under its lock. Safe to repeat:
 * what was removed before it was interrupted is not missed.
 *
 * @param exit how QEMU's process ended, when that is known.
 * @returns how the run ended, when there was one.
 */
export async function cleanUp(
  host: MachineContext,
  target: MachineRef,
  slot: number | undefined,
  exit?: ProcessExit,
): Promise<MachineEnd | undefined> {
  const { files } = target;
  const end = writeLastRun(host.paths, target, exit);
  await host.network.tearDown(target.longName);
  removeTree(files.tlsDir);
  removeKeys(files);
  releaseSlot(host, target.longName, slot);
  // Last: as long as one of these is there the next command knows that something is left.
  removeTree(files.qemuDir);
  removeCopies(files);
  removeWithLeftovers(files.record);
  return end;
}

/** Removes the machine's run-time folder when it is empty. To be called without the lock, which is in it. */
export function removeEmptyFolder(files: MachinePaths): void {
  try {
    rmdirSync(files.dir);
  } catch {
    // Not empty: another command took the lock, or started the machine, in the meantime. Else it is only untidy.
  }
}
