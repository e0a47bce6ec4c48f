import { randomUUID } from 'node:crypto';
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
 * So no path is ever followed inside such a folder: each one is opened without following links, and its entries are
 * named through that descriptor, `/proc/self/fd/N/NAME` (proc_pid_fd(5)), which stays the same folder whatever happens
 * to its path. unlink(2) and rmdir(2) do not follow a link in the last part of a path.
 */

/** Folders below this many others are moved up before they are emptied: each one on the way is a descriptor. */
const DEEPEST = 16;

/** In this time go more files than /run has room for on most hosts; what is left goes the next time. */
const LONGEST_MS = 2000;

/**
 * Removes a folder with all that is in it, or a file; a missing one is fine. It disappears in one step: others who
 * work in the folder at that moment find it gone, and what they make there afterwards is not touched. The folder may be
 * another user's; the one that it is in must not be.
 *
 * What takes longer than two seconds, or cannot be removed, such as a mount point or a third user's folder, is left
 * under a hidden name, `….gone`, and tried again the next time. Where nothing goes any more it is `….kept` and looked
 * at no more.
 *
 * @returns what became `….kept` now, for its owner to be told once.
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO` when it stays under its own name.
 */
export function removeTree(path: string): string[] {
  const kept: string[] = [];
  try {
    for (const name of leftoversOf(path, 'gone')) {
      const leftover = join(dirname(path), name);
      if (remove(leftover) === 'nothing') kept.push(setAside(leftover));
    }
    const doomed = hiddenSibling(path, 'gone');
    renameSync(path, doomed);
    remove(doomed);
  } catch (error) {
    if (!isNotFound(error)) throw fileError('remove', path, error);
  }
  return kept;
}

/** No start should spend its time on what cannot be removed. */
function setAside(leftover: string): string {
  const kept = leftover.replace(/gone$/, 'kept');
  renameSync(leftover, kept);
  return kept;
}

/**
 * Removes a folder with all that is in it, or a file, that no other process needs under that name. False when something
 * is left. Never throws.
 */
export function removeWhole(path: string): boolean {
  return remove(path) === 'all';
}

function remove(path: string): 'all' | 'some' | 'nothing' {
  const removal: Removal = { until: performance.now() + LONGEST_MS, hasRemoved: false, top: undefined, moved: 0 };
  try {
    const name = Buffer.from(path);
    if (lstatSync(name).isDirectory()) {
      empty(name, DEEPEST, removal);
      rmdirSync(name);
    } else unlinkSync(name);
    return 'all';
  } catch (error) {
    if (isNotFound(error)) return 'all';
    return removal.hasRemoved ? 'some' : 'nothing';
  }
}

interface Removal {
  /** As performance.now() has it. */
  readonly until: number;
  hasRemoved: boolean;
  /** The folder that all is in. */
  top: { readonly stats: Stats; readonly fd: number } | undefined;
  /** How many folders were moved to the top. */
  moved: number;
}

/** Removes everything in a folder that can be removed. */
function empty(path: Buffer, depth: number, removal: Removal): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const stats = fstatSync(fd);
    removal.top ??= { stats, fd };
    // Neither a file system that is mounted there, nor what only a third user may remove.
    if (stats.dev !== removal.top.stats.dev || stats.uid !== removal.top.stats.uid) return;
    // Reading a folder while it changes may pass over entries.
    while (removeEntries(fd, depth, removal) > 0);
  } finally {
    closeSync(fd);
  }
}

/** One pass over an open folder. How many of its entries are gone. */
function removeEntries(fd: number, depth: number, removal: Removal): number {
  const path = `/proc/self/fd/${fd}`;
  // Names are bytes and need not be UTF-8; in this encoding each byte is a character.
  const folder = opendirSync(path, { encoding: 'latin1' });
  let removed = 0;
  try {
    for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
      if (performance.now() > removal.until) return 0;
      if (!removeEntry(Buffer.from(`${path}/${entry.name}`, 'latin1'), depth, removal)) continue;
      removed += 1;
      removal.hasRemoved = true;
    }
  } finally {
    folder.closeSync();
  }
  return removed;
}

function removeEntry(path: Buffer, depth: number, removal: Removal): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if (errorCode(error) !== 'EISDIR' && errorCode(error) !== 'EPERM') return false;
  }
  try {
    if (depth === 0) moveUp(path, removal);
    else {
      empty(path, depth - 1, removal);
      rmdirSync(path);
    }
    return true;
  } catch {
    // Left: not a folder any more, not empty, a mount point, or not ours to remove.
    return false;
  }
}

/** Out of the folder that it is in, into the one that all is in, where another pass meets it. */
function moveUp(path: Buffer, removal: Removal): void {
  if (removal.top === undefined) return;
  removal.moved += 1;
  renameSync(path, `/proc/self/fd/${removal.top.fd}/.${process.pid}-${removal.moved}-${randomUUID()}`);
}
