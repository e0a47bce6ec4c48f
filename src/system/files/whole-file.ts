import { closeSync, constants, fstatSync, lstatSync, openSync, unlinkSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { refuseForeignFolder } from '../trust/foreign-link.ts';
import { fileError } from './file-error.ts';
import { hiddenSibling, leftoversOf } from './hidden-sibling.ts';

/** Suffix of a file that is not whole yet. */
const PART = 'part';

/**
 * Writes a file that has its name only when it is whole and on the disk. What an earlier process was killed over is
 * removed first. A file that is there is replaced. Links of other users lead root to no folder but those of these users.
 *
 * @param mode of the file, less the umask.
 * @returns its size in bytes.
 * @throws {QemuError} `QEMU_NOT_PERMITTED`, `QEMU_IO`, the latter also when something else than a file has that path;
 * and what `pieces` throws.
 */
export async function writeWhole(
  path: string,
  mode: number,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<number> {
  const folder = openFolder(path);
  try {
    // proc(5): through the descriptor it stays the same folder, whoever renames what leads to it.
    return await writeInside(path, `/proc/self/fd/${folder}/${basename(path)}`, mode, pieces);
  } finally {
    closeSync(folder);
  }
}

function openFolder(path: string): number {
  let folder: number;
  try {
    folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    throw fileError('write', path, error);
  }
  try {
    refuseForeignFolder(dirname(path), folder, fstatSync(folder));
    return folder;
  } catch (error) {
    closeSync(folder);
    throw error;
  }
}

/** @param held another path of it, by an open folder. */
async function writeInside(
  path: string,
  held: string,
  mode: number,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<number> {
  refuseOther(path, held);
  removeParts(held);
  const part = hiddenSibling(held, PART);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = await asFileError(path, open(part, flags, mode));
  try {
    const size = await writeAll(path, file, pieces);
    await asFileError(path, file.sync());
    await asFileError(path, rename(part, held));
    await syncFolder(held);
    return size;
  } catch (error) {
    unlinkSync(part);
    throw error;
  } finally {
    await file.close();
  }
}

function refuseOther(path: string, held: string): void {
  const stats = lstatSync(held, { throwIfNoEntry: false });
  if (!stats || stats.isFile() || stats.isSymbolicLink()) return;
  throw new QemuError('QEMU_IO', `Cannot write "${path}": it is not a file`, { hint: '- is standard output' });
}

async function writeAll(
  path: string,
  file: FileHandle,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<number> {
  let size = 0;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const { bytesWritten } = await asFileError(path, file.write(piece, at));
      at += bytesWritten;
    }
    size += piece.length;
  }
  return size;
}

/** Those of processes that have ended. */
function removeParts(path: string): void {
  try {
    for (const name of leftoversOf(path, PART)) {
      const pid = /\.(\d+)-\d+\.part$/.exec(name)?.[1];
      if (!lstatSync(`/proc/${pid}`, { throwIfNoEntry: false })) unlinkSync(join(dirname(path), name));
    }
  } catch {
    // The folder cannot be read, or a file there cannot be removed: the new one has another name.
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function asFileError<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw fileError('write', path, error);
  }
}
