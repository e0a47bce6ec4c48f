import { rmdirSync } from 'node:fs';
import { removeIfExists } from '../../system/files/files.ts';
import { trimLog } from '../../system/files/log/trim-log.ts';
import { removeTree } from '../../system/files/remove-tree.ts';
import { removeWithLeftovers } from '../../system/files/write-file.ts';
import type { MachinePaths } from '../../system/paths.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { giveBack } from '../host-devices/lend-nodes.ts';
import { interimName } from '../live/interim.ts';
import { removeKeys } from '../storage/image-keys.ts';
import { endHelpers } from './helpers.ts';
import { removeCopies } from './kept.ts';
import { type MachineEnd, type ProcessExit, writeLastRun } from './last-run.ts';
import { type Gone, locate } from './locate.ts';
import { removeScratchFolders } from './scratch-folder.ts';
import { releaseSlot } from './slots.ts';

/** What is known of a run besides its record. */
export interface CleanUpOptions {
  /** Slot to give back, unless it is that of the record. */
  readonly slot?: number | undefined;
  /** How QEMU's process ended. */
  readonly exit?: ProcessExit | undefined;
  /** What stopped it, as a few words. */
  readonly stop?: string | undefined;
}

/**
 * Removes everything that a run leaves behind. Only for a machine whose QEMU is gone, and under its lock. Safe to repeat:
 * what was removed before it was interrupted is not missed.
 *
 * @param gone what was found in the place of its QEMU.
 * @returns how the run ended, when there was one.
 */
export async function cleanUp(
  host: MachineContext,
  target: MachineRef,
  gone: Gone,
  { slot = gone.record?.slot, exit, stop }: CleanUpOptions = {},
): Promise<MachineEnd | undefined> {
  const { files } = target;
  const end = writeLastRun(host.paths, target, gone, { exit, stop });
  await endHelpers(files, gone.record);
  await host.network.tearDown(target.longName);
  if (gone.record?.isInterim === true) await host.network.tearDown(interimName(target.longName));
  // No other process writes to them now, and the timer that shortens logs looks at machines that run.
  for (const log of [files.log, files.consoleLog]) trimLog(log);
  tellKept(host, target, removeTree(files.tlsDir));
  removeKeys(files);
  removeScratchFolders(files);
  removeIfExists(files.seed);
  releaseSlot(host, target.longName, slot);
  // Last: as long as one of these is there the next command knows that something is left.
  tellKept(host, target, removeTree(files.qemuDir));
  removeCopies(files);
  removeWithLeftovers(files.launch);
  removeWithLeftovers(files.frozenMark);
  removeWithLeftovers(files.plugged);
  giveBack(files);
  removeWithLeftovers(files.record);
  return end;
}

/**
 * The same for a machine that is about to lose its name: what a killed QEMU has left is found by that alone. Nothing
 * for one whose QEMU lives.
 */
export async function cleanUpCrashed(host: MachineContext, target: MachineRef): Promise<void> {
  const located = locate(target.files);
  if (located.kind !== 'alive') await cleanUp(host, target, located);
}

function tellKept(host: MachineContext, { longName }: MachineRef, kept: readonly string[]): void {
  for (const path of kept) {
    const message = `"${path}" could not be removed and will not be tried again: remove it yourself`;
    host.notify({ level: 'warning', machine: longName, message });
  }
}

/** Removes the machine's run-time folder when it is empty. To be called without the lock, which is in it. */
export function removeEmptyFolder(files: MachinePaths): void {
  try {
    rmdirSync(files.dir);
  } catch {
    // Not empty: another command took the lock, or started the machine, in the meantime. Else it is only untidy.
  }
}
