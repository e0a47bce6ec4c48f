import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { trustPath } from './trusted-path.ts';

/** Folders whose content belongs to a user or is gone after a boot; services often have no access to them. */
const PRIVATE_FOLDERS = ['/home', '/root', '/run', '/tmp', '/var/tmp'];

/**
 * Why root must not have services run a program: another user may change it, or some users cannot reach it. Undefined
 * when there is no reason.
 */
export function whyNotForServices(program: string): string | undefined {
  let path: string;
  try {
    const trusted = trustPath(program);
    if (trusted.stats === undefined) return `"${program}" is missing`;
    path = trusted.path;
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    return error.message;
  }
  const inside = PRIVATE_FOLDERS.find((folder) => path.startsWith(`${folder}/`));
  if (inside !== undefined) return `"${path}" is in "${inside}", which services cannot rely on`;
  const closed = [path, ...foldersAbove(path)].find((each) => (lstatSync(each).mode & 0o001) === 0);
  return closed === undefined ? undefined : `"${closed}" can be used by its owner only`;
}

function foldersAbove(path: string): string[] {
  const folder = dirname(path);
  return folder === path ? [] : [folder, ...foldersAbove(folder)];
}
