import { appendFileSync, closeSync, constants, fstatSync, openSync, readSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorCode, isNotFound, QemuError } from '../../../base/errors.ts';
import { inTrustedFolder } from '../../trust/trusted-path.ts';
import { fileError } from '../file-error.ts';

/** Logs that exceed this size are shortened; the end of what they held goes to `FILE.1`. */
export const LOG_LIMIT_BYTES = 4 * 1024 * 1024;

/**
 * Never through a symbolic link, and never waiting for the other end of a FIFO: QEMU's user may own the file, and in a
 * user's own folders others may have put anything there.
 */
const CAREFULLY = constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Does something with a log by a path that leads into the very folder that was found good: in /var/log others than root
 * may rename folders on some hosts.
 *
 * @throws {QemuError} as {@link inTrustedFolder}.
 */
export function inLogFolder<T>(path: string, work: (name: string) => T): T {
  return inTrustedFolder(dirname(path), (folder) => work(join(folder, basename(path))));
}

/**
 * Opens a log for appending, and makes it with that mode when it is missing. The caller closes the descriptor. A log
 * that its owner keeps others from opening, with a lease (F_SETLEASE of fcntl(2)), becomes `FILE.1`, as if it had been
 * shortened.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED`, `QEMU_IO`, the latter also for anything but a regular file.
 */
export function openLog(path: string, mode: number): number {
  try {
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | CAREFULLY;
    const fd = inLogFolder(path, (name) => {
      try {
        return openSync(name, flags, mode);
      } catch (error) {
        if (errorCode(error) !== 'EAGAIN') throw error;
        renameSync(name, `${name}.1`);
        return openSync(name, flags, mode);
      }
    });
    if (fstatSync(fd).isFile()) return fd;
    closeSync(fd);
  } catch (error) {
    throw error instanceof QemuError ? error : fileError('open log', path, error);
  }
  throw fileError('open log', path, new Error('not a regular file'));
}

/** Appends a line to a log. Failures are ignored: a full disk, or another user's log, must not stop the caller. */
export function appendToLog(path: string, line: string): void {
  try {
    const fd = openLog(path, 0o600);
    try {
      appendFileSync(fd, `${line}\n`);
    } finally {
      closeSync(fd);
    }
  } catch {
    // See above.
  }
}

/**
 * Opens a log to read it, and with `write` to shorten it too; undefined when there is none, something that is not a
 * regular file, or one that its owner keeps others from opening (see {@link openLog}). The caller closes the
 * descriptor.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED`, `QEMU_IO` when it cannot be opened.
 */
export function openLogToRead(path: string, access: 'read' | 'write' = 'read'): number | undefined {
  let fd: number;
  try {
    const flags = (access === 'read' ? constants.O_RDONLY : constants.O_RDWR) | CAREFULLY;
    fd = inLogFolder(path, (name) => openSync(name, flags));
  } catch (error) {
    if (errorCode(error) === 'EAGAIN') return undefined;
    if (isNotFound(error) || (error instanceof QemuError && isNotFound(error.cause))) return undefined;
    throw error instanceof QemuError ? error : fileError('read', path, error);
  }
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  return undefined;
}

/**
 * Text of a log from a byte offset on, the last `maxBytes` of it; empty when there is no such file.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED`, `QEMU_IO` when it cannot be read.
 */
export function readTail(path: string, offset: number, maxBytes: number): string {
  const fd = openLogToRead(path);
  if (fd === undefined) return '';
  try {
    const { size } = fstatSync(fd);
    // A file that became shorter was rotated: all of it is new.
    const start = Math.max(offset > size ? 0 : offset, size - maxBytes);
    return readBytes(fd, start, Math.max(0, size - start)).toString('utf8');
  } finally {
    closeSync(fd);
  }
}

/** Bytes of an open file from an offset on, fewer at its end. */
export function readBytes(fd: number, offset: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const read = readSync(fd, buffer, filled, length - filled, offset + filled);
    if (read === 0) break;
    filled += read;
  }
  return buffer.subarray(0, filled);
}

/** Bytes of a log; 0 when there is none, or it cannot be read. */
export function sizeOf(path: string): number {
  try {
    const fd = openLogToRead(path);
    if (fd === undefined) return 0;
    try {
      return fstatSync(fd).size;
    } finally {
      closeSync(fd);
    }
  } catch {
    return 0;
  }
}
