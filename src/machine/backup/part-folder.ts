import { chmodSync, mkdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { fileError } from '../../system/files/file-error.ts';
import { isThere, namesIn } from '../../system/files/files.ts';
import { removeTree, removeWhole } from '../../system/files/remove-tree.ts';
import { withLock } from '../../system/lock/lock.ts';
import { trustPath } from '../../system/trust/trusted-path.ts';
import { isPointName } from './point-name.ts';

/** Name of the folder of a point that is not whole. */
export function partFolder(folder: string, point: string): string {
  return join(folder, `.${point}.part`);
}

/** Removes what commands that were killed have left in the folder of a machine's points. */
export function removeParts(folder: string): void {
  for (const name of namesIn(folder)) {
    const path = join(folder, name);
    const point = /^\.(.+)\.part$/.exec(name)?.[1];
    if (point !== undefined && isPointName(point)) removeTree(path);
    // What a removal had no time for.
    else if (/^\..+\.gone$/.test(name)) removeWhole(path);
  }
}

/**
 * Makes the folder of a point. Earlier points that were never finished go now.
 *
 * @param user whom QEMU runs as; undefined: the caller.
 * @throws {QemuError} `QEMU_IO`, `QEMU_NOT_PERMITTED`.
 */
export function makePartFolder(folder: string, point: string, user: object | undefined): void {
  const mode = user === undefined ? 0o700 : 0o711;
  removeParts(folder);
  try {
    // QEMU's user passes, and sees no names.
    if (user !== undefined) chmodSync(folder, statSync(folder).mode | 0o011);
    mkdirSync(partFolder(folder, point), { mode });
    // Whatever the umask.
    chmodSync(partFolder(folder, point), mode);
  } catch (error) {
    throw fileError('make folder', partFolder(folder, point), error);
  }
}

/** A lock of a process that is gone is had at once; one of a command that lives is left alone. */
const LOCK_MS = 500;

/** Removes the lock that a killed command has left in the folder of a machine's points, and the folder if that was all. */
export async function leaveFolder(folder: string): Promise<void> {
  const lock = join(folder, '.lock');
  try {
    if (!isThere(lock)) return;
    trustPath(folder);
    await withLock(lock, { timeoutMs: LOCK_MS, purpose: 'backup' }, async () => {});
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    return;
  }
  removeIfEmpty(folder);
}

/** Nothing is left of a first backup that failed, nor of the last point that was deleted. */
export function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // There are points in it, or another command is at work there; it does not matter.
  }
}
