import { chmodSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { fileError } from '../../system/files/file-error.ts';
import { namesIn } from '../../system/files/files.ts';
import { removeWhole } from '../../system/files/remove-tree.ts';
import type { MachinePaths } from '../../system/paths.ts';

/**
 * Does something with a folder that QEMU, whoever it runs as, can get through but not write to: for files of names that
 * it is told, in the folder of the run, which a QEMU in a unit sees too.
 *
 * @throws {QemuError} `QEMU_IO`, `QEMU_NOT_PERMITTED`, and what `body` throws.
 */
export async function withScratchFolder<T>(
  { dir }: Pick<MachinePaths, 'dir'>,
  body: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = makeFolder(dir);
  try {
    return await body(folder);
  } finally {
    removeWhole(folder);
  }
}

/**
 * Removes what commands that were killed have left. Only for a machine that has ended.
 *
 * @throws {QemuError} `QEMU_IO`, `QEMU_NOT_PERMITTED`.
 */
export function removeScratchFolders({ dir }: Pick<MachinePaths, 'dir'>): void {
  for (const name of namesIn(dir)) {
    if (OURS.some((start) => name.startsWith(start))) removeWhole(join(dir, name));
  }
}

const SCRATCH = '.scratch-';
/** Also the folders of screen dumps. */
const OURS = [SCRATCH, 'qemu-init-screen-'];

function makeFolder(parent: string): string {
  try {
    const folder = mkdtempSync(join(parent, SCRATCH));
    chmodSync(folder, 0o711);
    return folder;
  } catch (error) {
    throw fileError('make folder', parent, error);
  }
}
