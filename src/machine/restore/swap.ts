import { renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { asArray, isRecord } from '../../base/guards.ts';
import { fileError } from '../../system/files/file-error.ts';
import { statsOf } from '../../system/files/files.ts';
import { inFolderOf } from '../../system/files/held-folder.ts';
import { removeTree } from '../../system/files/remove-tree.ts';
import { syncPath } from '../../system/files/sync.ts';
import { partFile } from '../work/part-files.ts';
import type { PartFile } from '../work/work-record.ts';

/** A whole new file, or folder, that is to get the place of an old one in the same folder. */
export interface Swap {
  readonly part: PartFile;
  readonly path: string;
}

/** Swaps as a record of work has them. */
export function readSwaps(value: unknown): Swap[] {
  return asArray(value).flatMap((each) => {
    if (!isRecord(each) || !isRecord(each['part'])) return [];
    const { path, part } = each;
    const { path: partPath, id } = part;
    if (typeof path !== 'string' || typeof partPath !== 'string' || typeof id !== 'string') return [];
    return [{ path, part: { path: partPath, id } }];
  });
}

/**
 * Gives each new file its place. What is done already is left alone, so this may be interrupted and done again.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`.
 */
export function finishSwaps(swaps: readonly Swap[]): void {
  for (const { part, path } of swaps) {
    const stats = statsOf(part.path);
    if (stats === undefined) continue;
    if (partFile(part.path).id !== part.id) {
      throw new QemuError('QEMU_IO', `"${part.path}" is not the file that was to become "${path}"`);
    }
    if (stats.isDirectory()) removeTree(path);
    inFolderOf(path, (held) => {
      try {
        renameSync(join(dirname(held), basename(part.path)), held);
        syncPath(dirname(path));
      } catch (error) {
        throw fileError('write', path, error);
      }
    });
  }
}
