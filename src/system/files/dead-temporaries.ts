import { lstatSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn } from './files.ts';
import { nameOfTemporary } from './write-file.ts';

/**
 * Removes the temporary files that processes which were killed left of `writeFileAtomic`. What cannot be removed stays,
 * and goes when its file is written again.
 *
 * @param pid of the process, of which there is no other one now; undefined: of all, when nobody else writes there.
 */
export function removeTemporariesOf(folder: string, pid?: number): void {
  try {
    const real = realpathSync(folder);
    for (const name of namesIn(real)) {
      if (nameOfTemporary(name) === undefined) continue;
      if (pid !== undefined && /\.(\d+)-\d+\.tmp$/.exec(name)?.[1] !== String(pid)) continue;
      const path = join(real, name);
      if (lstatSync(path, { throwIfNoEntry: false })?.isFile()) rmSync(path, { force: true });
    }
  } catch {
    // A folder that is gone, or not ours.
  }
}
