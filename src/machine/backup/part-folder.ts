import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { fileError } from '../../system/files/file-error.ts';
import type { DiskAccess } from '../copy/access.ts';
import { partFolder, removeParts } from './backup-work.ts';

/** Makes the folder of a point. Earlier points that were never finished go now. @throws {QemuError} `QEMU_IO`, `QEMU_NOT_PERMITTED`. */
export function makePartFolder(folder: string, point: string, { user }: DiskAccess): void {
  const mode = user === undefined ? 0o700 : 0o711;
  removeParts(folder);
  try {
    // QEMU's user passes, and sees no names.
    if (user !== undefined) chmodSync(folder, statSync(folder).mode | 0o011);
    mkdirSync(partFolder(folder, point), { mode });
    // Whatever the umask.
    chmodSync(partFolder(folder, point), mode);
  } catch (error) {
    throw fileError('make folder', partFolder(folder, point), error);
  }
}
