import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { furtherGroups, localUser, userName } from '../users.ts';

/**
 * Whether the user for whom root works, by sudo(8), pkexec(1) or doas(1), could read the file without that. True when
 * root does not work for another user. A message about the file must not reveal what that user may not read. Access
 * control lists are ignored.
 */
export function callerMayRead(path: string): boolean {
  const uid = callerUid();
  if (uid === undefined) return true;
  const primary = /^\d+$/.test(process.env['SUDO_GID'] ?? '') ? [Number(process.env['SUDO_GID'])] : [];
  const groups = [...primary, ...furtherGroups(userName(uid))];
  try {
    const file = realpathSync(path);
    if (!allows(file, READ, uid, groups)) return false;
    for (let folder = dirname(file); ; folder = dirname(folder)) {
      if (!allows(folder, SEARCH, uid, groups)) return false;
      if (folder === '/') return true;
    }
  } catch {
    return false;
  }
}

/**
 * The user for whom root works; undefined when there is none, or it is root. The programs set these variables
 * themselves.
 */
function callerUid(): number | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  const byDoas = localUser(process.env['DOAS_USER'] ?? '')?.uid;
  const uid = process.env['SUDO_UID'] ?? process.env['PKEXEC_UID'] ?? String(byDoas ?? '');
  return /^[1-9]\d*$/.test(uid) ? Number(uid) : undefined;
}

const READ = 4;
const SEARCH = 1;

/** path_resolution(7): the first class that the user is in decides. */
function allows(path: string, right: number, uid: number, groups: readonly number[]): boolean {
  const stats = statSync(path);
  const shift = stats.uid === uid ? 6 : groups.includes(stats.gid) ? 3 : 0;
  return ((stats.mode >> shift) & right) !== 0;
}
