import { randomInt } from 'node:crypto';
import { chownSync } from 'node:fs';
import { errorCode } from '../../base/errors.ts';
import { findProgram } from '../process/find-program.ts';

/** A user that owns nothing and has no other process, for programs which work on images that others have written to. */
export interface ImageUser {
  readonly uid: number;
  readonly gid: number;
}

/** Numbers that no distribution gives to a user: systemd's docs/UIDS-GIDS.md leaves them free. */
const FIRST = 0x7d000000;
const COUNT = 0x00ffffff;

/** Such a user; undefined where this process cannot give a program one, which then runs as this process does. */
export function newImageUser(): ImageUser | undefined {
  if (process.geteuid?.() !== 0 || findProgram('setpriv') === undefined) return undefined;
  const id = FIRST + randomInt(COUNT);
  return { uid: id, gid: id };
}

/** Whether a file is lent to such a user, as a killed process may have left it. */
export function isImageUser(uid: number): boolean {
  return uid >= FIRST && uid < FIRST + COUNT;
}

/**
 * What is to precede a program so that it runs as that user, may read all files, and has no other privilege and no way
 * to get one: capabilities(7), CAP_DAC_READ_SEARCH.
 */
export function readerPrefix(user: ImageUser | undefined): string[] {
  if (user === undefined) return [];
  return [
    'setpriv',
    `--reuid=${user.uid}`,
    `--regid=${user.gid}`,
    '--clear-groups',
    '--inh-caps=-all,+dac_read_search',
    '--ambient-caps=-all,+dac_read_search',
    '--bounding-set=-all,+dac_read_search',
    '--no-new-privs',
    '--',
  ];
}

/** Gives the user a file to write to. False where the file system has no such users. */
export function lendFile(path: string, user: ImageUser): boolean {
  try {
    chownSync(path, user.uid, user.gid);
    return true;
  } catch (error) {
    // In a user namespace without that number, and on network file systems.
    if (errorCode(error) === 'EINVAL' || errorCode(error) === 'EPERM') return false;
    throw error;
  }
}
