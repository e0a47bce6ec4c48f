import { closeSync, fchmodSync, fchownSync, fstatSync, ftruncateSync, linkSync, openSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { fileError } from '../../system/files/file-error.ts';
import { inFolderOf, placeWithoutLinks } from '../../system/files/held-folder.ts';
import { flushPath, syncPath } from '../../system/files/sync.ts';
import type { User } from '../../system/users.ts';
import type { PartFile } from '../work/work-record.ts';

/**
 * Makes the file of a new image, which QEMU then fills. QEMU could not make it: its user need not be able to write to
 * the folder.
 *
 * @param owner whom it is given to; undefined: the caller keeps it.
 * @param sizeBytes its length: the size of a raw disk, 0 for other formats.
 * @throws {QemuError} `QEMU_IO` when there is something of that name, or no room; `QEMU_NOT_PERMITTED`.
 */
export function makeTargetFile(
  path: string,
  owner: Pick<User, 'uid' | 'gid'> | undefined,
  sizeBytes: number,
): PartFile {
  let file: number | undefined;
  try {
    file = inFolderOf(placeWithoutLinks(path), (held) => openSync(held, 'wx', 0o600));
    fchmodSync(file, 0o600);
    if (owner !== undefined) fchownSync(file, owner.uid, owner.gid);
    ftruncateSync(file, sizeBytes);
    const { dev, ino } = fstatSync(file, { bigint: true });
    return { path, id: `${dev}:${ino}` };
  } catch (error) {
    throw error instanceof QemuError ? error : fileError('make', path, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/**
 * Waits until a file and its name are on the disk. @throws {QemuError} `QEMU_IO` when they cannot be written there.
 */
export async function syncFile(path: string): Promise<void> {
  try {
    await flushPath(path);
    syncPath(dirname(path));
  } catch (error) {
    throw fileError('write', path, error);
  }
}

/** Gives a whole file its name; never that of a file which came to be meanwhile. @throws {QemuError} `QEMU_IO` */
export async function giveName(part: string, file: string): Promise<void> {
  try {
    linkSync(part, file);
    unlinkSync(part);
  } catch (error) {
    throw fileError('make', file, error);
  }
  await syncFile(file);
}
