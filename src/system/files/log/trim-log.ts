import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { errorCode } from '../../../base/errors.ts';
import { inLogFolder, LOG_LIMIT_BYTES, openLogToRead, readBytes } from './log-file.ts';

/**
 * Shortens a log past {@link LOG_LIMIT_BYTES}, which a program may hold open with O_APPEND: the last of it goes to a
 * new file `FILE.1` of this user with mode 0600, and the log itself is emptied in place. The log may belong to a
 * captured QEMU: nothing of it but the bytes at its end is taken over, no mode, owner or attribute, and its size, which
 * may be that of a sparse file, costs nothing.
 *
 * What is written between the copy and the emptying is lost. When two processes do it at once, one does. A log that
 * cannot be shortened, for want of rights, stays as it is: it is done on the way to something else.
 */
export function trimLog(path: string): void {
  try {
    const log = openLogToRead(path, 'write');
    if (log === undefined) return;
    try {
      if (!isTooLong(log)) return;
      inLogFolder(path, (place) => {
        withCopy(`${place}.1.new`, (copy, name) => moveEnd(log, copy, name, `${place}.1`));
      });
    } finally {
      closeSync(log);
    }
  } catch {
    // It stays as it is.
  }
}

function isTooLong(log: number): boolean {
  return fstatSync(log).size > LOG_LIMIT_BYTES;
}

/** Makes the copy, which is at the same time the lock against others who shorten the same log. */
function withCopy(name: string, work: (copy: number, name: string) => void): void {
  if (isOld(name)) unlinkSync(name);
  const copy = openSync(name, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  let isDone = false;
  try {
    work(copy, name);
    isDone = true;
  } finally {
    closeSync(copy);
    if (!isDone) unlinkSync(name);
  }
}

function moveEnd(log: number, copy: number, name: string, target: string): void {
  // Another process may have been faster.
  if (!isTooLong(log)) {
    unlinkSync(name);
    return;
  }
  const end = readEnd(log);
  const isStored = store(copy, end);
  ftruncateSync(log, 0);
  // A full disk: there is room now, of the log's own.
  if (!isStored) store(copy, end, true);
  renameSync(name, target);
}

/** The last bytes, and what is added while they are read, up to as much again. */
function readEnd(log: number): Buffer {
  const start = Math.max(0, fstatSync(log).size - LOG_LIMIT_BYTES);
  return readBytes(log, start, 2 * LOG_LIMIT_BYTES);
}

/** False when there is no room for it. */
function store(copy: number, bytes: Buffer, isLastTry = false): boolean {
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(copy, bytes, done, bytes.length - done, done);
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (isLastTry || (code !== 'ENOSPC' && code !== 'EDQUOT')) throw error;
    return false;
  }
}

/** Longer than any copy takes: left by a process that was killed over it. */
const OLD_MS = 60_000;

function isOld(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats !== undefined && Math.abs(Date.now() - stats.mtimeMs) > OLD_MS;
}
