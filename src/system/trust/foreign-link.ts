import { lstatSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { userName } from '../users.ts';

/*
 * Root can read every file, so whoever can put a symbolic link where root reads could have any file read for him, and shown to a
 * guest. As with the kernel's protected_symlinks, but in all folders: a link leads root only to what belongs to the owner of
 * the link, or what everybody may read.
 */

/**
 * Makes sure that no other user has led root to a file that is open.
 *
 * @param path by which it was opened.
 * @throws {QemuError} `QEMU_NOT_PERMITTED`
 */
export function refuseForeignLink(path: string, descriptor: number, { uid, mode }: Stats): void {
  if (process.geteuid?.() !== 0) return;
  const real = readlinkSync(`/proc/self/fd/${descriptor}`);
  const { end, owner } = followOwnLinks(resolve(path));
  // proc(5): so it ends when the file has been replaced since.
  if (owner === undefined && (end === real || `${end} (deleted)` === real)) return;
  if (owner === uid || isReadableByAll(real, mode)) return;
  const why =
    owner === undefined
      ? 'it was exchanged while it was opened'
      : `a link of user "${userName(owner)}" leads to "${real}", which that user may not read`;
  throw new QemuError('QEMU_NOT_PERMITTED', `Cannot read "${path}": ${why}`);
}

/**
 * The same for a folder in which something is to be written: a link leads root only to a folder of the link's owner.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED`
 */
export function refuseForeignFolder(path: string, descriptor: number, { uid }: Stats): void {
  if (process.geteuid?.() !== 0) return;
  const real = readlinkSync(`/proc/self/fd/${descriptor}`);
  const { end, owner } = followOwnLinks(resolve(path));
  if (owner === undefined ? end === real : owner === uid) return;
  const why =
    owner === undefined
      ? 'it was exchanged while it was opened'
      : `a link of user "${userName(owner)}" leads to "${real}", which is not that user's`;
  throw new QemuError('QEMU_NOT_PERMITTED', `Cannot write to "${path}": ${why}`);
}

/** As many as Linux follows: path_resolution(7). */
const MOST_LINKS = 40;

/** Where a path leads by links of root; and the owner of the first one that is not, which is not followed. */
function followOwnLinks(path: string): { readonly end: string; readonly owner?: number | undefined } {
  const ahead = path.split('/').filter(Boolean).toReversed();
  let end = '/';
  let links = 0;
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    if (name === '..') end = dirname(end);
    if (name === '..' || name === '.') continue;
    const next = join(end, name);
    const stats = lstatSync(next, { throwIfNoEntry: false });
    if (stats?.isSymbolicLink() !== true) {
      end = next;
      continue;
    }
    links += 1;
    if (stats.uid !== 0 || links > MOST_LINKS) return { end, owner: stats.uid };
    const target = readlinkSync(next);
    if (target.startsWith('/')) end = '/';
    ahead.push(...target.split('/').filter(Boolean).toReversed());
  }
  return { end };
}

function isReadableByAll(real: string, mode: number): boolean {
  if ((mode & 0o004) === 0) return false;
  for (let at = dirname(real); ; at = dirname(at)) {
    const stats = statSync(at, { throwIfNoEntry: false });
    if (stats === undefined || (stats.mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}
