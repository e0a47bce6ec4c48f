import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  type Stats,
  statSync,
  unlinkSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { errorCode, isNotFound } from '../../base/errors.ts';
import { fileError } from './file-error.ts';

/**
 * The file's text, or undefined when there is no such file.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO` when it is there and cannot be read.
 */
export function readTextIfExists(path: string): string | undefined {
  try {
    // Do not wait for a FIFO that another user may have put there.
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (fstatSync(fd).isFIFO()) throw new Error('not a regular file');
      return readFileSync(fd, 'utf8');
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw fileError('read', path, error);
  }
}

/**
 * The names in a folder; none when it is not there.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO` when it is there and cannot be read.
 */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isNotFound(error)) return [];
    throw fileError('read', folder, error);
  }
}

/**
 * What has that name, be it a link to nowhere; undefined when nothing has. It is not opened: its owner could keep others
 * from that.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO` when the folder cannot be searched.
 */
export function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // Something above it is not a folder.
    if (isNotFound(error)) return undefined;
    throw fileError('read', path, error);
  }
}

/** Whether anything has that name. @throws as {@link statsOf} */
export function isThere(path: string): boolean {
  return statsOf(path) !== undefined;
}

/** Room for a pid with its line end, and for noticing that there is more. */
const SMALL_FILE_BYTES = 64;

/**
 * What open(2) reports with O_NOFOLLOW and O_NONBLOCK of a symbolic link, of a socket or a device without a driver, and
 * of a file on which its owner holds a lease (F_SETLEASE of fcntl(2)).
 */
const NOT_TO_BE_HAD: readonly (string | undefined)[] = ['ELOOP', 'ENXIO', 'ENODEV', 'EAGAIN'];

/**
 * The first bytes of a file in a folder that is not ours; undefined when there is none. Anything but a regular file
 * (FIFO, socket, symlink) is treated as empty, and so is a file that its owner keeps others from opening.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`.
 */
export function readSmallFile(path: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    if (NOT_TO_BE_HAD.includes(errorCode(error))) return '';
    throw fileError('read', path, error);
  }
  try {
    if (!fstatSync(fd).isFile()) return '';
    const buffer = Buffer.alloc(SMALL_FILE_BYTES);
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, 0));
  } finally {
    closeSync(fd);
  }
}

/**
 * Removes a file, socket or symbolic link. False when there was none.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`, the latter also for a folder.
 */
export function removeIfExists(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw fileError('remove', path, error);
  }
}

/**
 * Makes a folder with exactly this mode; folders above it that are missing get 0755 less the umask. A folder that
 * exists stays as it is.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`, the latter also when something else has that path.
 */
export function ensureDir(path: string, mode: number): void {
  try {
    if (!makeDir(path, mode)) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
      makeDir(path, mode);
    }
  } catch (error) {
    throw fileError('make folder', path, error);
  }
}

/** False when the folder above is missing. */
function makeDir(path: string, mode: number): boolean {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    if (errorCode(error) === 'EEXIST' && statSync(path).isDirectory()) return true;
    throw error;
  }
  setMode(path, mode);
  return true;
}

/** Of the folder itself: where others may write to the one above, as in /var/log on some hosts, a link may be there by now. */
function setMode(path: string, mode: number): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    if (fstatSync(fd).uid === process.geteuid?.()) fchmodSync(fd, mode);
  } finally {
    closeSync(fd);
  }
}
