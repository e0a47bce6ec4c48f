import { renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { fileError } from '../../system/files/file-error.ts';
import { ensureDir, isThere } from '../../system/files/files.ts';
import { removeWhole } from '../../system/files/remove-tree.ts';
import { syncPath } from '../../system/files/sync.ts';
import type { MachinePaths } from '../../system/paths.ts';

/*
 * A saved state is a folder that moves, in single steps, from name to name:
 *
 *   .saved.part      is being written
 *   saved            whole and on the disk; the next start goes on from it
 *   .saved.loading   a QEMU is being given it, whose guest has not run yet
 *   .saved.spent     the guest may have run since: it must never be loaded again
 */

/** Names of the folder below the machine's state folder. */
export type SavedStage = 'part' | 'saved' | 'loading' | 'spent';

const NAMES: Readonly<Record<SavedStage, string>> = {
  part: '.saved.part',
  saved: 'saved',
  loading: '.saved.loading',
  spent: '.saved.spent',
};

type Files = Pick<MachinePaths, 'stateDir'>;

/** Path of the folder. */
export function savedFolder({ stateDir }: Files, stage: SavedStage): string {
  return join(stateDir, NAMES[stage]);
}

/** The two files in it: the stream of QEMU, and what it belongs to. */
export function savedFiles(files: Files, stage: SavedStage): { readonly state: string; readonly record: string } {
  const folder = savedFolder(files, stage);
  return { state: join(folder, 'state'), record: join(folder, 'record.json') };
}

/**
 * Whether a stopped machine has a saved state, from which its next start goes on. Its disks belong to that state: what
 * changes them makes it useless. Costs at most two lstat(2).
 *
 * Only for a machine that does not run. A user who may not look into the machine's state folder sees none.
 */
export function isSaved(files: Files): boolean {
  try {
    // A start that was killed before its guest ran has left it under the other name.
    return isThere(savedFolder(files, 'saved')) || isThere(savedFolder(files, 'loading'));
  } catch (error) {
    if (error instanceof QemuError && error.code === 'QEMU_NOT_PERMITTED') return false;
    throw error;
  }
}

/**
 * Refuses what would change the disks of a machine with a saved state. To be called for a machine that does not run.
 *
 * @param what such as `revert to a snapshot`.
 * @param way what else the same command can do, for the hint.
 * @throws {QemuError} `QEMU_MACHINE_STATE`
 */
export function refuseSaved(files: Files, longName: string, what: string, way?: string): void {
  if (!isSaved(files)) return;
  throw new QemuError(
    'QEMU_MACHINE_STATE',
    `Cannot ${what}: machine "${longName}" has a saved state, which its disks belong to`,
    {
      hint: `go on from it: qemu-init start ${longName}; or start without it, which drops it: qemu-init start --fresh ${longName}${way === undefined ? '' : `; or ${way}`}`,
    },
  );
}

/** Makes an empty folder to write a state into, in place of what an interrupted command left of one. */
export function makePart(files: Files): void {
  ensureDir(files.stateDir, 0o700);
  removeSaved(files, 'part');
  ensureDir(savedFolder(files, 'part'), 0o700);
}

/**
 * Moves the folder to its next name, so that this outlives a power cut.
 *
 * @throws {QemuError} `QEMU_IO`, `QEMU_NOT_PERMITTED`.
 */
export function moveSaved(files: Files, from: SavedStage, to: SavedStage): void {
  const path = savedFolder(files, from);
  try {
    syncPath(path);
    renameSync(path, savedFolder(files, to));
    syncPath(dirname(path));
  } catch (error) {
    throw fileError('rename', path, error);
  }
}

/** Removes the folder of that name; a missing one is fine. */
export function removeSaved(files: Files, stage: SavedStage): void {
  removeWhole(savedFolder(files, stage));
}

/**
 * Puts the folders of a machine whose QEMU is gone in order: a state whose guest has never run is one again, and the
 * rest of others goes. Under the machine's lock.
 */
export function tidySaved(files: Files): void {
  removeSaved(files, 'part');
  removeSaved(files, 'spent');
  if (!isThere(savedFolder(files, 'loading'))) return;
  if (isThere(savedFolder(files, 'saved'))) removeSaved(files, 'loading');
  else moveSaved(files, 'loading', 'saved');
}

/** Removes a saved state of a machine that does not run. */
export function dropSaved(files: Files): void {
  tidySaved(files);
  // In one step, so that half of it is never taken for all.
  if (isThere(savedFolder(files, 'saved'))) moveSaved(files, 'saved', 'spent');
  removeSaved(files, 'spent');
}

/** Where QEMU sends its state to. Its user may pass through the folder, but not write to it. */
export function saveSocket({ dir }: Pick<MachinePaths, 'dir'>): string {
  return join(dir, 'save.sock');
}
