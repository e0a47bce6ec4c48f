import { closeSync, fstatSync, fsyncSync, openSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileError } from '../../system/files/file-error.ts';
import { ensureDir } from '../../system/files/files.ts';
import { syncPath } from '../../system/files/sync.ts';

/**
 * Makes a file that must not be there yet, so that it outlives a power cut.
 *
 * @returns device and inode as `DEV:INO`.
 * @throws {QemuError} `QEMU_IO`, also for one that is there; `QEMU_NOT_PERMITTED`.
 */
export function makeFile(path: string, text: string, mode = 0o644): string {
  ensureDir(dirname(path), 0o755);
  let file: number | undefined;
  try {
    file = openSync(path, 'wx', mode);
    writeFileSync(file, text);
    fsyncSync(file);
    const { dev, ino } = fstatSync(file, { bigint: true });
    syncPath(dirname(path));
    return `${dev}:${ino}`;
  } catch (error) {
    throw fileError('make', path, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
