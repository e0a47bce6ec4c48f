import { type BigIntStats, lstatSync, readlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { fileError } from '../files/file-error.ts';
import { userName } from '../users.ts';

/** As many links as Linux follows: path_resolution(7). */
const MOST_LINKS = 40;

/**
 * Finds a folder, and follows only links that were made by root, this user or `owners`. Folders on the way may belong to
 * others: without a link, they can only move a folder there that they may write to themselves. The folder can be
 * exchanged after this, so what was opened later has to be compared with what this returns.
 *
 * @returns its device and inode in decimal, as `stat -c %d:%i` prints them.
 * @throws {QemuError} `QEMU_NOT_PERMITTED` for such a link, or a folder that cannot be searched; `QEMU_IO` when there is
 * no such folder.
 */
export function findFolder(path: string, owners: readonly number[]): string {
  const trusted = new Set([0, process.geteuid?.() ?? 0, ...owners]);
  const ahead = parts(resolve(path)).toReversed();
  let current = '/';
  let found = look(path, current);
  let links = 0;
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    const next = name === '..' ? dirname(current) : join(current, name);
    found = look(path, next);
    if (!found.isSymbolicLink()) {
      current = next;
      continue;
    }
    if (!trusted.has(Number(found.uid))) throw foreignLink(path, next, Number(found.uid));
    links += 1;
    if (links > MOST_LINKS) throw fileError('follow', path, new Error('too many symbolic links'));
    const target = readlink(path, next);
    if (target.startsWith('/')) current = '/';
    found = look(path, current);
    ahead.push(...parts(target).toReversed());
  }
  if (!found.isDirectory()) throw fileError('share', path, new Error('not a folder'));
  return `${found.dev}:${found.ino}`;
}

function parts(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function look(whole: string, path: string): BigIntStats {
  try {
    return lstatSync(path, { bigint: true });
  } catch (error) {
    throw fileError('read', whole, error);
  }
}

function readlink(whole: string, path: string): string {
  try {
    return readlinkSync(path);
  } catch (error) {
    throw fileError('read', whole, error);
  }
}

function foreignLink(whole: string, link: string, uid: number): QemuError {
  const what = link === whole ? 'it' : `"${link}"`;
  const message = `Cannot trust "${whole}": ${what} is a link made by user "${userName(uid)}", who can let it lead anywhere`;
  return new QemuError('QEMU_NOT_PERMITTED', message, { hint: 'name the folder itself, without the link' });
}
