import { lstatSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../base/errors.ts';
import { trustPath } from '../trust/trusted-path.ts';
import { namesIn } from './files.ts';
import { followLocally } from './mounts.ts';
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
      if (nameOfTemporary(name) === undefined || (pid !== undefined && writerOf(name) !== pid)) continue;
      const path = join(real, name);
      if (lstatSync(path, { throwIfNoEntry: false })?.isFile()) rmSync(path, { force: true });
    }
  } catch {
    // A folder that is gone, or not ours.
  }
}

/**
 * The same in a folder in which others may be writing: of processes that are no more. In a folder of a file system of
 * another host, whose processes are not seen here, only what is older than a write takes. Never throws.
 */
export function removeDeadTemporaries(folder: string): void {
  try {
    const names = namesIn(folder).filter((name) => nameOfTemporary(name) !== undefined);
    if (names.length === 0) return;
    // Where others may write, its name may lead elsewhere by now.
    const { path: real } = trustPath(folder);
    const { isLocal } = followLocally(real);
    for (const name of names) {
      const path = join(real, name);
      const stats = lstatSync(path, { throwIfNoEntry: false });
      if (stats?.isFile() !== true) continue;
      const isOld = Date.now() - stats.mtimeMs > WRITE_MS;
      if (isOld || (isLocal && !isThere(writerOf(name)))) rmSync(path, { force: true });
    }
  } catch {
    // A folder that is gone, or not ours.
  }
}

/** Writing one takes milliseconds, but one that is prepared waits for a job of QEMU, and the clocks of hosts differ. */
const WRITE_MS = 600_000;

function writerOf(temporary: string): number {
  return Number(/\.(\d+)-\d+\.tmp$/.exec(temporary)?.[1]);
}

/** Whether there is such a process. Not by /proc, which may hide those of others. */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) !== 'ESRCH';
  }
}
