import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { isNotFound, QemuError } from '../../base/errors.ts';
import { fileError } from '../files/file-error.ts';
import { groupName, isEmptyGroup, userName } from '../users.ts';
import { hasAccessList } from './access-list.ts';

/*
 * A user who may write to a file, or to a folder on the way to it, decides what is in it. So before a file is believed,
 * or a program run, every component of its path has to belong to root or to the user who runs this process, and no
 * other user may write to it. The walk goes down from `/` and follows symbolic links itself, one at a time: a component
 * that was found good cannot be changed by others any more, so exchanging one during the walk gains nothing.
 */

/** Where a path leads, without links, and what is there; undefined when there is nothing. */
export interface TrustedPath {
  readonly path: string;
  readonly stats: Stats | undefined;
}

/**
 * Walks a path that is about to be relied on.
 *
 * A component is good when it belongs to root or this user, and group and others may not write to it; a folder above
 * may have the sticky bit instead, as /tmp has. Root accepts a folder above that is root's and that a group without
 * members may write to, as /usr/local is on some hosts; other users accept the groups that they are in. Neither accepts
 * one with an access control list.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` that names the component, or when a folder cannot be searched; `QEMU_IO` for
 * links without end.
 */
export function trustPath(path: string): TrustedPath {
  const whole = resolve(path);
  const parent = dirname(whole);
  const known = goodFolders.get(parent);
  if (known !== undefined && known.until > performance.now()) {
    return walk(whole, known.path, [whole.slice(parent === '/' ? 1 : parent.length + 1)]);
  }
  demand(whole, '/', lstatSync('/'), whole !== '/');
  return walk(whole, '/', parts(whole));
}

/**
 * Looks at a folder that is only used through {@link inTrustedFolder}, such as that of the logs: the folder that it is in may be open
 * to a group of the system, as /var/log is on some hosts. The folders above that one are looked at as by {@link trustPath}, and
 * cannot lead elsewhere.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED`
 */
export function trustFolder(path: string): void {
  demand(path, '/', lstatSync('/'), true);
  const above = walk(path, '/', parts(resolve(dirname(path))), demandShared);
  if (above.stats === undefined) return;
  const stats = look(path, join(above.path, basename(path)));
  if (stats !== undefined) demand(path, path, stats, false);
}

/**
 * Does something in a folder that {@link trustFolder} finds good, and that stays the same folder even when renamed,
 * since others may be able to rename it in the folder above.
 *
 * @param work gets a path to the folder.
 * @throws {QemuError} `QEMU_NOT_PERMITTED`, `QEMU_IO` when it cannot be opened, or is a link.
 */
export function inTrustedFolder<T>(path: string, work: (folder: string) => T): T {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    throw fileError('open folder', path, error);
  }
  try {
    demand(path, path, fstatSync(fd), false);
    return work(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}

/**
 * Opens a file to read that {@link trustPath} finds good; undefined when there is none. The caller closes the
 * descriptor. A FIFO or device is never waited for.
 *
 * @throws {QemuError} as {@link trustPath} does, and `QEMU_IO` for anything but a regular file.
 */
export function openTrusted(path: string): number | undefined {
  const trusted = trustPath(path);
  if (trusted.stats === undefined) return undefined;
  // Opening a device may act on it.
  if (!trusted.stats.isFile()) throw fileError('read', path, new Error('not a regular file'));
  const fd = openPlain(path, trusted.path);
  try {
    const stats = fstatSync(fd);
    demand(path, trusted.path, stats, false);
    if (stats.isFile()) return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  closeSync(fd);
  throw fileError('read', path, new Error('not a regular file'));
}

/**
 * The text of a small file that {@link trustPath} finds good; undefined when there is none.
 *
 * @throws {QemuError} as {@link openTrusted} does, and `QEMU_IO` for a file larger than `maxBytes`.
 */
export function readTrustedText(path: string, maxBytes: number): string | undefined {
  const fd = openTrusted(path);
  if (fd === undefined) return undefined;
  try {
    if (fstatSync(fd).size > maxBytes) throw fileError('read', path, new Error(`larger than ${maxBytes} bytes`));
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

/**
 * Folders that were found good lately, by the path they were asked for: what is in one of them is asked for often, and
 * only trusted users could change it for the worse.
 */
const goodFolders = new Map<string, { readonly path: string; readonly until: number }>();
const GOOD_FOR_MS = 1000;

/** As many as Linux follows: path_resolution(7). */
const MOST_LINKS = 40;

/** @param demandLast what is asked of the last component; less is asked of those before. */
function walk(whole: string, from: string, names: readonly string[], demandLast = demandClosed): TrustedPath {
  const ahead = names.toReversed();
  let current = from;
  let found = look(whole, from);
  let links = 0;
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    if (name === '..') {
      current = dirname(current);
      found = look(whole, current);
      continue;
    }
    const next = join(current, name);
    const stats = look(whole, next);
    if (stats === undefined) return { path: join(next, ...ahead.toReversed()), stats: undefined };
    if (stats.isSymbolicLink()) {
      demandOwner(whole, next, stats, false);
      links += 1;
      if (links > MOST_LINKS) throw fileError('follow', whole, new Error('too many symbolic links'));
      const target = readlinkSync(next);
      if (target.startsWith('/')) current = '/';
      found = look(whole, current);
      ahead.push(...parts(target).toReversed());
      continue;
    }
    if (ahead.length > 0) demand(whole, next, stats, true);
    else demandLast(whole, next, stats);
    current = next;
    found = stats;
    if (ahead.length === 1 && links === 0 && demandLast === demandClosed) remember(dirname(whole), current);
  }
  // A link may end in a folder that was only passed through, as `x/..` does.
  if (links > 0 && found !== undefined) demandLast(whole, current, found);
  return { path: current, stats: found };
}

function remember(folder: string, path: string): void {
  goodFolders.set(folder, { path, until: performance.now() + GOOD_FOR_MS });
}

function parts(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function look(whole: string, component: string): Stats | undefined {
  try {
    return lstatSync(component);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw fileError('read', whole, error);
  }
}

/** The path has no link any more, and a FIFO is not waited for. */
function openPlain(whole: string, path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw fileError('read', whole, error);
  }
}

/** Nobody else may write to it. */
function demandClosed(whole: string, component: string, stats: Stats): void {
  demand(whole, component, stats, false);
}

/** A group may write to it as well. */
function demandShared(whole: string, component: string, { uid, mode }: Stats): void {
  demandOwner(whole, component, { uid }, true);
  if ((mode & STICKY) === 0 && (mode & OTHERS_WRITE) !== 0) throw distrust(whole, component, BY_EVERYBODY, CLOSE);
}

function demand(whole: string, component: string, stats: Stats, isAbove: boolean): void {
  demandOwner(whole, component, stats, isAbove);
  const isSticky = isAbove && (stats.mode & STICKY) !== 0;
  if (isSticky || (stats.mode & (GROUP_WRITES | OTHERS_WRITE)) === 0) return;
  if ((stats.mode & OTHERS_WRITE) !== 0) throw distrust(whole, component, BY_EVERYBODY, CLOSE);
  if (!isHarmlessGroup(component, stats, isAbove)) {
    throw distrust(whole, component, `can be written by group "${groupName(stats.gid)}"`, CLOSE);
  }
}

const BY_EVERYBODY = 'can be written by every user';
const CLOSE = 'no other user may write to the file or a folder above it: chmod go-w';

/** inode(7) */
const STICKY = 0o1000;
const GROUP_WRITES = 0o020;
const OTHERS_WRITE = 0o002;

function isHarmlessGroup(component: string, { gid, uid }: Stats, isAbove: boolean): boolean {
  const isOwnGroup = gid === process.getegid?.() || (process.getgroups?.() ?? []).includes(gid);
  const isHarmless = process.geteuid?.() === 0 ? isAbove && uid === 0 && gid !== 0 && isEmptyGroup(gid) : isOwnGroup;
  // With an access control list these bits are its mask, and others than the group may write: acl(5).
  return isHarmless && !hasAccessList(component);
}

function demandOwner(whole: string, component: string, { uid }: Pick<Stats, 'uid'>, isAbove: boolean): void {
  const own = process.geteuid?.() ?? 0;
  if (uid === 0 || uid === own || (isAbove && isUnmapped(uid))) return;
  const owner = userName(uid);
  const hint =
    own === 0
      ? `root relies only on what root owns: chown it to root, or run qemu-init as user "${owner}"`
      : `only root and user "${userName(own)}" may own it, and the folders above it`;
  throw distrust(whole, component, `belongs to user "${owner}"`, hint);
}

/** In a user namespace all users outside it, including root, appear as one: user_namespaces(7). */
function isUnmapped(uid: number): boolean {
  if (uid !== OVERFLOW_UID) return false;
  const [inside, outside, count] = readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/);
  return !(inside === '0' && outside === '0' && count === '4294967295');
}

/** Default of /proc/sys/kernel/overflowuid: proc_sys_kernel(5). */
const OVERFLOW_UID = 65_534;

function distrust(whole: string, component: string, reason: string, hint: string): QemuError {
  const what = component === whole ? 'it' : `"${component}"`;
  return new QemuError('QEMU_NOT_PERMITTED', `Cannot trust "${whole}": ${what} ${reason}`, { hint });
}
