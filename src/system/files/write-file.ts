import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
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
