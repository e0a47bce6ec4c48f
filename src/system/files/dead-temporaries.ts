import { lstatSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { nameOfTemporary, namesIn } from './files.ts';

/**
 * Removes the temporary files that a process which was killed left of `writeFileAtomic`. To be called only when there is
 * no process of that number any more; what cannot be removed stays, and goes when its file is written again.
 */
export function removeTemporariesOf(folder: string, pid: number): void {
  try {
    const real = realpathSync(folder);
    for (const name of namesIn(real)) {
      if (nameOfTemporary(name) === undefined || /\.(\d+)-\d+\.tmp$/.exec(name)?.[1] !== String(pid)) continue;
      const path = join(real, name);
      if (lstatSync(path, { throwIfNoEntry: false })?.isFile()) rmSync(path, { force: true });
    }
  } catch {
    // A folder that is gone, or not ours.
  }
}
