import { readlinkSync } from 'node:fs';
import { readLockHolder } from '../../system/lock/lock-folder.ts';
import { readProcess } from '../../system/process/process.ts';
import { userName } from '../../system/users.ts';

/** Who is attached to a console by this package, for messages: `process 712 of joe on /dev/pts/3`. */
export function consoleHolder(lockPath: string): string | undefined {
  const holder = readLockHolder(lockPath);
  const found = holder && readProcess(holder.pid);
  if (found === undefined) return undefined;
  const user = found.uid === undefined ? '' : ` of ${userName(found.uid)}`;
  const terminal = terminalOf(found.pid);
  return `process ${found.pid}${user}${terminal === undefined ? '' : ` on ${terminal}`}`;
}

/** Another user's process does not show it. */
function terminalOf(pid: number): string | undefined {
  try {
    const path = readlinkSync(`/proc/${pid}/fd/0`);
    return /^\/dev\/(?:pts\/|tty)\w+$/.test(path) ? path : undefined;
  } catch {
    return undefined;
  }
}
