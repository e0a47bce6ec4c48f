import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  opendirSync,
  openSync,
  renameSync,
  rmdirSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCode, isNotFound } from '../../base/errors.ts';
import { fileError } from './file-error.ts';
import { hiddenSibling, leftoversOf } from './hidden-sibling.ts';

/*
 * A folder may belong to a captured QEMU, which can put a symbolic link where a folder was at any moment of a removal.
 * So no path is ever followed inside such a folder: each one is opened without following links, and its entries are named
 * through that descriptor, `/proc/self/fd/N/NAME` (proc_pid_fd(5)), which stays the same folder whatever happens to its
 * path. unlink(2) and rmdir(2) do not follow a link in the last part of a path.
 */

/** Far deeper, and far more, than anything that belongs in such a folder. */
const DEEPEST = 16;
const MOST_ENTRIES = 10_000;

/**
 * Removes a folder with all that is in it, or a file; a missing one is fine. It disappears in one step: others who
 * work in the folder at that moment find it gone, and what they make there afterwards is not touched. The folder may be
 * another user's; the one that it is in must not be.
 *
 * What is in it and cannot be removed, such as a mount point, a third user's folder or more than 10,000 entries, is left
 * under a hidden name, `….gone`, and tried again the next time. After that it is `….kept` and looked at no more.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO` when it stays under its own name.
 */
export function removeTree(path: string): void {
  try {
    for (const name of leftoversOf(path, 'gone')) {
      const leftover = join(dirname(path), name);
      // Twice in vain is enough: no start is to spend its time on what will not go.
      if (!removeWhole(leftover)) renameSync(leftover, leftover.replace(/gone$/, 'kept'));
    }
    const doomed = hiddenSibling(path, 'gone');
    renameSync(path, doomed);
    removeWhole(doomed);
  } catch (error) {
    if (isNotFound(error)) return;
    throw fileError('remove', path, error);
  }
}

/**
 * Removes a folder with all that is in it, or a file, that nobody else needs under that name. False when something is
 * left. Never throws.
 */
export function removeWhole(path: string): boolean {
  try {
    const name = Buffer.from(path);
    if (lstatSync(name).isDirectory()) {
      empty(name, DEEPEST, { entries: MOST_ENTRIES, top: undefined });
      rmdirSync(name);
    } else unlinkSync(name);
    return true;
  } catch (error) {
    return isNotFound(error);
  }
}

interface Limits {
  /** How many may still be removed. */
  entries: number;
  /** The folder that all is in. */
  top: Stats | undefined;
}

/** Removes what is in a folder, as far as possible. */
function empty(path: Buffer, depth: number, limits: Limits): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const stats = fstatSync(fd);
    limits.top ??= stats;
    // Neither a file system that is mounted there, nor what only a third user may remove.
    if (stats.dev !== limits.top.dev || stats.uid !== limits.top.uid) return;
    // Reading a folder while it changes may pass over entries.
    while (removeEntries(fd, depth, limits) > 0);
  } finally {
    closeSync(fd);
  }
}

/** One pass over an open folder. How many of its entries are gone. */
function removeEntries(fd: number, depth: number, limits: Limits): number {
  const path = `/proc/self/fd/${fd}`;
  // Names are bytes and need not be UTF-8; in this encoding each byte is a character.
  const folder = opendirSync(path, { encoding: 'latin1' });
  let removed = 0;
  try {
    for (let entry = folder.readSync(); entry !== null && limits.entries > 0; entry = folder.readSync()) {
      if (!removeEntry(Buffer.from(`${path}/${entry.name}`, 'latin1'), depth, limits)) continue;
      removed += 1;
      limits.entries -= 1;
    }
  } finally {
    folder.closeSync();
  }
  return removed;
}

function removeEntry(path: Buffer, depth: number, limits: Limits): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if (depth === 0 || (errorCode(error) !== 'EISDIR' && errorCode(error) !== 'EPERM')) return false;
  }
  try {
    empty(path, depth - 1, limits);
    rmdirSync(path);
    return true;
  } catch {
    // Left: not a folder any more, not empty, a mount point, or not ours to remove.
    return false;
  }
}
