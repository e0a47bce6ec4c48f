import { basename } from 'node:path';
import { isThere, namesIn, removeIfExists } from '../../system/files/files.ts';
import { dropDeadLock, readLockHolder } from '../../system/lock/lock.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { removeKeys } from '../storage/image-keys.ts';
import { removeEmptyFolder } from './clean-up.ts';

/**
 * Removes what commands that were killed under a lock have left in the run-time folder of a machine: the lock, and what
 * they had there only while they held it. Never throws: who takes a lock clears a dead one away, too.
 */
export function dropDeadLocks(files: MachinePaths): void {
  try {
    if (!isThere(files.dir)) return;
    const names = namesIn(files.dir);
    for (const lock of [files.workLock, files.controlLock, files.agentLock, files.plugLock, files.lock]) {
      const start = basename(lock);
      if (names.some((name) => name === start || name.startsWith(`${start}.`))) dropDeadLock(lock);
    }
    if (readLockHolder(files.lock) === undefined) {
      removeIfExists(files.daemonLog);
      removeKeys(files);
    }
    removeEmptyFolder(files);
  } catch {
    // It holds nobody up.
  }
}
