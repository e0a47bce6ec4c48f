import { lstatSync } from 'node:fs';
import { QemuError } from '../../base/errors.ts';
import { furtherGroups } from '../../system/users.ts';
import { giveFile } from '../start/give-file.ts';
import type { RunAs } from '../start/run-as.ts';
import { partId } from '../work/part-files.ts';
import type { PartFile } from '../work/work-record.ts';

/**
 * Overlays that are to be removed. What QEMU's user writes into the header of an image leads to nothing that this user
 * could not empty itself: such a file stays. An overlay has owner and mode of its base, so it may belong to another user.
 *
 * @param user that QEMU runs as; undefined: the caller.
 * @returns which files they are, as it was known when the rights were looked at; without those that are gone.
 * @throws {QemuError} `QEMU_NOT_PERMITTED`
 */
export function ownParts(key: string, paths: readonly string[], user: RunAs | undefined): PartFile[] {
  return paths.flatMap((path) => {
    const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (stats === undefined) return [];
    const { uid, gid, mode } = stats;
    if (user === undefined || mayWrite(user, { uid: Number(uid), gid: Number(gid), mode: Number(mode) })) {
      return [{ path, id: partId(stats) }];
    }
    throw new QemuError(
      'QEMU_NOT_PERMITTED',
      `Cannot collapse ${key}: "${path}" would be removed, but user "${user.name}" may not write to it`,
      { hint: giveFile(path, { user: user.name }, false) },
    );
  });
}

interface Rights {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** Of its own file a user may change the mode. */
function mayWrite(user: RunAs, { uid, gid, mode }: Rights): boolean {
  if (uid === user.uid) return true;
  const isInGroup = gid === user.gid || (user.groups ?? furtherGroups(user.name)).includes(gid);
  return (mode & (isInGroup ? GROUP_WRITES : OTHERS_WRITE)) !== 0;
}

/** inode(7) */
const GROUP_WRITES = 0o020;
const OTHERS_WRITE = 0o002;
