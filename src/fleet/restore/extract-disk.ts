import { renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { LongWorkOptions } from '../../base/progress.ts';
import { restoreDisk } from '../../machine/restore/restore-disk.ts';
import { fileError } from '../../system/files/file-error.ts';
import { ensureDir, isThere, removeIfExists } from '../../system/files/files.ts';
import { placeWithoutLinks } from '../../system/files/held-folder.ts';
import { hiddenSibling, leftoversOf } from '../../system/files/hidden-sibling.ts';
import { syncPath } from '../../system/files/sync.ts';
import { demandFree } from './places.ts';
import { diskRows, diskTask, type Restored, type RestoreSource } from './restored.ts';

/** Makes the image of one disk in a folder, and nothing else. @throws {QemuError} as `restoreBackup`. */
export async function extractDisk(
  { point, disks }: RestoreSource,
  folder: string,
  { signal, onProgress }: LongWorkOptions,
): Promise<Restored> {
  const [source] = disks;
  ensureDir(folder, 0o755);
  const tasks = source
    ? [diskTask(source, placeWithoutLinks(join(folder, basename(source.disk.sourcePath))), undefined)]
    : [];
  for (const task of tasks) {
    const { path, key, sizeBytes } = task;
    demandFree(path);
    for (const name of leftoversOf(path, 'part')) removeIfExists(join(dirname(path), name));
    const part = hiddenSibling(path, 'part');
    const onPercent = (percent: number): void => {
      const done = Math.round((sizeBytes * percent) / 100);
      onProgress?.({ phase: `restoring ${key}`, done, total: sizeBytes });
    };
    try {
      await restoreDisk({ ...task, part }, { signal, onPercent });
      renameSync(part, path);
      syncPath(dirname(path));
    } catch (error) {
      // Where nothing can be written it is not there, and could not be removed.
      if (isThere(part)) removeIfExists(part);
      throw error instanceof Error && 'code' in error && !('hint' in error) ? fileError('write', path, error) : error;
    }
  }
  const { name } = point;
  const rest = { shortName: undefined, configPath: undefined, notes: [], issues: [] };
  return { name, point: point.point, outcome: 'extracted', disks: diskRows(tasks), ...rest };
}
