import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCode, isNotFound } from '../../base/errors.ts';
import { fileError } from './file-error.ts';
import { hiddenSibling, leftoversOf } from './hidden-sibling.ts';
import { syncPath } from './sync.ts';

/** How {@link writeFileAtomic} writes. */
export interface WriteOptions {
  /** Flush file and folder to the disk: for what must outlive a power cut. Needless below `/run`. */
  readonly durable?: boolean | undefined;
}

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
 * Whether anything has that name, be it a link to nowhere. It is not opened: its owner could keep others from that.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO` when the folder cannot be searched.
 */
export function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw fileError('read', path, error);
  }
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
 * Writes a file so that readers see the old text or the new one and never a part, whenever the writer is killed.
 * A symbolic link stays one; its target is replaced. Without `mode` an existing file keeps mode and owner, and a new
 * one gets 0644 less the umask.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`; the old file is untouched then.
 */
export function writeFileAtomic(
  path: string,
  text: string | Uint8Array,
  mode?: number,
  options: WriteOptions = {},
): void {
  try {
    replaceFile(followLink(path), text, mode, options.durable === true);
  } catch (error) {
    throw fileError('write', path, error);
  }
}

/** A file that is written already, under another name. */
export interface PreparedFile {
  /** Lets it take the place of the old one. Throws errors of rename(2) and fsync(2). */
  readonly commit: () => void;
  /** Removes it, unless it has taken that. */
  readonly discard: () => void;
}

/**
 * Does all of {@link writeFileAtomic} that may fail for want of room or rights, for a moment at which it must not.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`.
 */
export function prepareFile(path: string, text: string): PreparedFile {
  try {
    return prepare(followLink(path), text, undefined, true);
  } catch (error) {
    throw fileError('write', path, error);
  }
}

/**
 * Refuses a file that could not be replaced now, without trying that: a folder that may not be written to, or a file
 * system that is read-only.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`.
 */
export function requireReplaceable(path: string): void {
  try {
    accessSync(dirname(followLink(path)), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw fileError('write', path, error);
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
 * Removes a file together with temporary files of writers that were killed. For a path that is not being written to.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`.
 */
export function removeWithLeftovers(path: string): void {
  try {
    removeLeftovers(path, 0);
    rmSync(path, { force: true });
  } catch (error) {
    if (!isNotFound(error)) throw fileError('remove', path, error);
  }
}

/** The name of the file that a temporary one of {@link writeFileAtomic} was to become; undefined for any other name. */
export function nameOfTemporary(name: string): string | undefined {
  return /^\.(.+)\.\d+-\d+\.tmp$/.exec(name)?.[1];
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

function replaceFile(path: string, text: string | Uint8Array, mode: number | undefined, durable: boolean): void {
  const file = prepare(path, text, mode, durable);
  try {
    file.commit();
  } catch (error) {
    file.discard();
    throw error;
  }
}

function prepare(path: string, text: string | Uint8Array, mode: number | undefined, durable: boolean): PreparedFile {
  removeLeftovers(path, TEMPORARY_MAX_AGE_MS);
  const temporary = hiddenSibling(path, 'tmp');
  const discard = (): void => rmSync(temporary, { force: true });
  const file = openSync(temporary, 'wx', mode ?? 0o644);
  try {
    if (mode === undefined) copyOwner(file, statSync(path, { throwIfNoEntry: false }));
    else fchmodSync(file, mode);
    writeAll(file, text);
    if (durable) fsyncSync(file);
  } catch (error) {
    discard();
    throw error;
  } finally {
    closeSync(file);
  }
  const commit = (): void => {
    renameSync(temporary, path);
    if (durable) syncPath(dirname(path));
  };
  return { commit, discard };
}

function copyOwner(file: number, old: Stats | undefined): void {
  if (old === undefined) return;
  try {
    fchownSync(file, old.uid, old.gid);
  } catch (error) {
    // Only root may give files away; the text is what counts.
    if (errorCode(error) !== 'EPERM') throw error;
  }
  fchmodSync(file, old.mode & 0o7777);
}

/** write(2) may take only a part, and then report ENOSPC on the next call. */
function writeAll(file: number, text: string | Uint8Array): void {
  let rest: Uint8Array = typeof text === 'string' ? Buffer.from(text) : text;
  while (rest.length > 0) rest = rest.subarray(writeSync(file, rest));
}

function followLink(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Writing one takes milliseconds: an older one belongs to a writer that was killed. */
const TEMPORARY_MAX_AGE_MS = 60_000;

/** Removes temporary files of killed writers of this file. Anything else with such a name, such as a folder, stays. */
function removeLeftovers(path: string, minimumAgeMs: number): void {
  for (const name of leftoversOf(path, 'tmp')) {
    const leftover = join(dirname(path), name);
    const stats = lstatSync(leftover, { throwIfNoEntry: false });
    // The clock may have been set back, so that nothing is older than zero.
    const isYoung = minimumAgeMs > 0 && stats !== undefined && Date.now() - stats.mtimeMs < minimumAgeMs;
    if (stats?.isFile() && !isYoung) rmSync(leftover, { force: true });
  }
}
