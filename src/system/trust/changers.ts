import { lstatSync, realpathSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { fileError } from '../files/file-error.ts';
import { hasProcessOf } from '../process/process.ts';
import { hasNoLogin, localUser } from '../users.ts';

/**
 * Whether another user than root could change a file, or exchange it, from this moment on: one that owns it or a folder
 * above it and has a process or could log in, or a group or everybody that may write there. A machine's own user has no
 * process while the machine does not run.
 *
 * @throws {QemuError} `QEMU_IO` when it is missing, `QEMU_NOT_PERMITTED`.
 */
export function canOthersChange(path: string): boolean {
  try {
    const components = [path, realpathSync(path)].flatMap(upwards).map(({ at, isLast }) => ({ isLast, ...lookAt(at) }));
    if (components.some(isOpen)) return true;
    const own = process.geteuid?.() ?? 0;
    const owners = new Set(components.map(({ uid }) => uid).filter((uid) => uid !== 0 && uid !== own));
    return [...owners].some(canLogIn) || hasProcessOf(owners);
  } catch (error) {
    throw error instanceof QemuError ? error : fileError('read', path, error);
  }
}

/** A user that is not known here may be one of a directory service. */
function canLogIn(uid: number): boolean {
  const user = localUser(String(uid));
  return user === undefined || !hasNoLogin(user);
}

function lookAt(path: string): Pick<Stats, 'uid' | 'mode'> & { readonly hasNoMode: boolean } {
  const stats = lstatSync(path);
  // A link has none; those who may write to a disk of the host are its administrators.
  return { uid: stats.uid, mode: stats.mode, hasNoMode: stats.isSymbolicLink() || stats.isBlockDevice() };
}

function upwards(path: string): { readonly at: string; readonly isLast: boolean }[] {
  const found = [{ at: path, isLast: true }];
  for (let at = dirname(path); at !== dirname(at); at = dirname(at)) found.push({ at, isLast: false });
  return found;
}

/** inode(7): in a folder with the sticky bit only owners exchange files. */
const STICKY = 0o1000;
const OTHERS_WRITE = 0o022;

function isOpen({ mode, isLast, hasNoMode }: { mode: number; isLast: boolean; hasNoMode: boolean }): boolean {
  return !hasNoMode && (mode & OTHERS_WRITE) !== 0 && (isLast || (mode & STICKY) === 0);
}
