import { type BigIntStats, closeSync, constants, lstatSync, openSync, unlinkSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { isNotFound } from '../../base/errors.ts';
import { fileError } from '../../system/files/file-error.ts';
import type { PartFile } from './work-record.ts';

/** Which file has that path now, as {@link PartFile} has it; undefined: none. */
export function partFile(path: string): PartFile {
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return { path, id: stats && partId(stats) };
}

/** Which file it is, whatever its path leads to later. */
export function partId({ dev, ino }: Pick<BigIntStats, 'dev' | 'ino'>): string {
  return `${dev}:${ino}`;
}

/**
 * Removes files that are not finished. A file that has one's name but is another one stays: the folder may be one that
 * the user of QEMU can write to.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`.
 */
export function removeParts(parts: readonly PartFile[]): void {
  for (const part of parts) removePart(part);
}

function removePart({ path, id }: PartFile): void {
  let folder: number;
  try {
    folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    if (isNotFound(error)) return;
    throw fileError('remove', path, error);
  }
  try {
    // proc(5): through the descriptor it stays the same folder, whoever renames what leads to it.
    const held = `/proc/self/fd/${folder}/${basename(path)}`;
    const stats = lstatSync(held, { bigint: true, throwIfNoEntry: false });
    if (stats === undefined || !stats.isFile()) return;
    if (id !== undefined && id !== partId(stats)) return;
    unlinkSync(held);
  } catch (error) {
    if (!isNotFound(error)) throw fileError('remove', path, error);
  } finally {
    closeSync(folder);
  }
}
