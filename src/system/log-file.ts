import {
  appendFileSync,
  closeSync,
  copyFileSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { isNotFound } from '../errors.ts';
import { fileError } from './file-error.ts';

/** Past this size a log is turned over: its content goes to `FILE.1`, replacing what was there. */
export const LOG_LIMIT_BYTES = 4 * 1024 * 1024;

/** Adds a line to a log, if that is possible: it is done on the way to something else. */
export function appendToLog(path: string, line: string): void {
  try {
    appendFileSync(path, `${line}\n`, { mode: 0o600 });
  } catch {
    // The disk is full, or the log another user's.
  }
}

/** Turns a log over that nobody writes to at the moment. */
export function rotateLog(path: string): void {
  if (sizeOf(path) > LOG_LIMIT_BYTES) renameSync(path, `${path}.1`);
}

/**
 * Turns a log over that a program holds open with O_APPEND: its content is copied away and the file shortened in place.
 * What is written between the two is lost. Of two that do it at once, one does. A log that cannot be turned over, since
 * this user may not or the disk is full, stays as it is: it is done on the way to something else.
 */
export function trimOpenLog(path: string): void {
  const copy = `${path}.1.new`;
  try {
    if (sizeOf(path) <= LOG_LIMIT_BYTES) return;
    if (isOld(copy)) rmSync(copy);
    const lock = openSync(copy, 'wx', 0o600);
    closeSync(lock);
  } catch {
    return;
  }
  try {
    // Somebody may have been faster, between the look at the size and now.
    if (sizeOf(path) > LOG_LIMIT_BYTES) {
      copyFileSync(path, copy);
      truncateSync(path, 0);
      renameSync(copy, `${path}.1`);
    }
  } catch {
    // It stays as it is.
  } finally {
    rmSync(copy, { force: true });
  }
}

/** Longer than any copy takes: left by a process that was killed over it. */
const OLD_MS = 60_000;

function isOld(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && Date.now() - stats.mtimeMs > OLD_MS;
}

/**
 * Text of a file from a byte offset on, the last `maxBytes` of it; empty when there is no such file.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED`, `QEMU_IO` when it cannot be read.
 */
export function readTail(path: string, offset: number, maxBytes: number): string {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (isNotFound(error)) return '';
    throw fileError('read', path, error);
  }
  try {
    const size = sizeOf(path);
    // A file that became shorter was turned over: all of it is new.
    const start = Math.max(offset > size ? 0 : offset, size - maxBytes);
    const buffer = Buffer.alloc(Math.max(0, size - start));
    const read = readSync(fd, buffer, 0, buffer.length, start);
    return buffer.subarray(0, read).toString('utf8');
  } finally {
    closeSync(fd);
  }
}

/** Bytes of a file; 0 when there is none. */
export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
