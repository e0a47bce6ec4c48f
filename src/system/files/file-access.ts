import { type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Which users a file is open to; `everybody` only when they also may pass the folders above it. */
export type Readers = 'owner' | 'group' | 'everybody';

/** Who may read a file. Access control lists are ignored. */
export function readersOf(path: string, { mode }: Pick<Stats, 'mode'>): Readers {
  if ((mode & 0o004) !== 0) return isShut(dirname(path)) ? 'owner' : 'everybody';
  return (mode & 0o040) !== 0 ? 'group' : 'owner';
}

/** The bits of chmod(1), as it writes them: `0640`. */
export function modeText({ mode }: Pick<Stats, 'mode'>): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

/** Whether a folder on the way lets only its owner and group pass. */
function isShut(folder: string): boolean {
  for (let at = folder; at !== dirname(at); at = dirname(at)) {
    if (((statSync(at, { throwIfNoEntry: false })?.mode ?? 0) & 0o001) === 0) return true;
  }
  return false;
}
