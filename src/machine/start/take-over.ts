import { fchmodSync, fchownSync, lstatSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { DiskConfig } from '../../config/device-config.ts';
import type { MachineConfig } from '../../config/types.ts';
import { withImage } from '../../system/images/image.ts';
import { trustPath } from '../../system/trust/trusted-path.ts';
import { localUser, MACHINES_GROUP, type User } from '../../system/users.ts';

/** The user that all machines with RUNAS=qemu have in common. */
const SHARED_USER = MACHINES_GROUP;

/**
 * Gives a machine's own user the images that the user of all machines had: a host that turns from RUNAS=qemu to RUNAS=auto
 * goes on. What belongs to another user, is a disk of another machine too, or is in a folder that others than root may write to, is
 * left as it is, for QEMU to refuse.
 *
 * @param otherWith the machine that has a file as its disk, too.
 * @param tell takes what was done.
 */
export function takeOverImages(
  config: Pick<MachineConfig, 'disks'>,
  user: User,
  otherWith: (file: string) => string | undefined,
  tell: (message: string) => void,
): void {
  for (const disk of config.disks.filter(isTakenOver)) {
    const other = otherWith(disk.file);
    if (other !== undefined) {
      tell(`"${disk.file}" stays with user "${SHARED_USER}": it is also a disk of machine "${other}"`);
    } else if (changeOwner(disk, user)) {
      tell(`"${disk.file}" belonged to the user of all machines, and now belongs to "${user.name}"`);
    }
  }
}

/** Whether a start would do so, unless another machine has that disk. */
export function isTakenOver(disk: DiskConfig): boolean {
  return changeOwner(disk, undefined);
}

function changeOwner(disk: DiskConfig, user: User | undefined): boolean {
  const shared = localUser(SHARED_USER);
  if (shared === undefined || disk.readonly || disk.snapshot) return false;
  try {
    if (!isInRootsHands(disk.file)) return false;
    // The file that was looked at is the one that is changed, whatever has its name by then.
    return withImage(disk.file, (_file, stats, descriptor) => {
      if (!isPlain(stats, shared.uid)) return false;
      if (user === undefined) return true;
      fchownSync(descriptor, user.uid, user.gid);
      fchmodSync(descriptor, 0o600);
      return true;
    });
  } catch {
    // It is missing, or on a file system without owners: the start says more.
    return false;
  }
}

/**
 * Whether only root could have put the file there. In a folder of the shared user another machine's QEMU can put a link to the
 * image of a third one.
 */
function isInRootsHands(path: string, links = MOST_LINKS): boolean {
  trustPath(dirname(path));
  const stats = lstatSync(path);
  if (!stats.isSymbolicLink()) return true;
  return stats.uid === 0 && links > 0 && isInRootsHands(resolve(dirname(path), readlinkSync(path)), links - 1);
}

/** As many as Linux follows: path_resolution(7). */
const MOST_LINKS = 40;

/** A second name could be another machine's image. */
function isPlain(stats: Stats, owner: number): boolean {
  return stats.isFile() && stats.nlink === 1 && stats.uid === owner;
}
