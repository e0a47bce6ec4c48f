import { closeSync, constants, openSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { trustPath } from '../trust/trusted-path.ts';
import { fileError } from './file-error.ts';

/*
 * Images may be in a folder that a captured QEMU's user can write to. There a link, or another folder, can get the place of
 * one at any moment, so that what root writes goes elsewhere.
 */

/**
 * Where a file really is, or is to be, without links in the path of its folder.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` when another user than root or this one has put a link there; `QEMU_IO` when the
 * folder is missing.
 */
export function placeWithoutLinks(path: string): string {
  const folder = resolve(dirname(path));
  let real: string;
  try {
    real = realpathSync(folder);
  } catch (error) {
    throw fileError('open folder', folder, error);
  }
  if (real !== folder) trustPath(folder);
  return join(real, basename(path));
}

/**
 * Does something with a file in its folder, which stays the same folder whatever happens to its path: proc_pid_fd(5).
 *
 * @param path as {@link placeWithoutLinks} gave it.
 * @param work gets another path of the file.
 * @throws {QemuError} `QEMU_IO` when there is another folder now.
 */
export function inFolderOf<T>(path: string, work: (held: string) => T): T {
  const folder = dirname(path);
  let fd: number;
  try {
    fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    throw fileError('open folder', folder, error);
  }
  try {
    const held = `/proc/self/fd/${fd}`;
    if (readlinkSync(held) !== folder) throw new QemuError('QEMU_IO', `"${folder}" is another folder by now`);
    return work(join(held, basename(path)));
  } finally {
    closeSync(fd);
  }
}
