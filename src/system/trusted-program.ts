import { lstatSync, realpathSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { userName } from './users.ts';

/** Folders whose content is a user's own, or gone after a boot; services are commonly kept out of them. */
const PRIVATE_FOLDERS = ['/home', '/root', '/run', '/tmp', '/var/tmp'];

/**
 * Why root must not have services run a program: another user may change it, or not everybody can reach it. Undefined when
 * there is no reason. Looks at the path as written and at what it leads to, with all folders above.
 */
export function whyNotForServices(program: string): string | undefined {
  let real: string;
  try {
    real = realpathSync(program);
  } catch {
    return `"${program}" is missing`;
  }
  const inside = PRIVATE_FOLDERS.find((folder) => [program, real].some((path) => path.startsWith(`${folder}/`)));
  if (inside !== undefined) return `"${real}" is in "${inside}", where services cannot rely on it`;
  const parts = [...new Set([program, real].flatMap((path) => [path, ...foldersAbove(path)]))];
  return parts.map(fault).find((each) => each !== undefined);
}

function foldersAbove(path: string): string[] {
  const folder = dirname(path);
  return folder === path ? [] : [folder, ...foldersAbove(folder)];
}

function fault(path: string): string | undefined {
  const stats = lstatSync(path);
  if (stats.uid !== 0) return `"${path}" belongs to ${userName(stats.uid)}`;
  // The mode of a link says nothing.
  if (stats.isSymbolicLink()) return undefined;
  if (isOpen(path, stats)) return `"${path}" can be changed by other users than root`;
  if ((stats.mode & 0o005) !== 0o005 && !(stats.isDirectory() && (stats.mode & 0o001) !== 0)) {
    return `"${path}" can be used by root only`;
  }
  return undefined;
}

function isOpen(path: string, { mode, gid }: Stats): boolean {
  // Debian policy 9.1.2: group staff may write there.
  const isTrustedGroup = gid === 0 || (gid === STAFF && path.startsWith('/usr/local'));
  return (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && !isTrustedGroup);
}

const STAFF = 50;
