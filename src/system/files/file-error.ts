import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode, QemuError } from '../../base/errors.ts';

/**
 * A failed file operation as a {@link QemuError}: `QEMU_NOT_PERMITTED` for EACCES and EPERM, else `QEMU_IO`.
 *
 * @param action What could not be done, as in `Cannot read "…"`: `read`, `write`, `remove`.
 */
export function fileError(action: string, path: string, cause: unknown): QemuError {
  const code = errorCode(cause);
  const denied = code === 'EACCES' || code === 'EPERM';
  return new QemuError(denied ? 'QEMU_NOT_PERMITTED' : 'QEMU_IO', `Cannot ${action} "${path}"`, {
    cause,
    hint: hintFor(code, path),
  });
}

/** The shortest leading part of the path that does not exist; undefined when all of it does. */
export function firstMissingPart(path: string): string | undefined {
  const parent = dirname(path);
  const missing = parent === path ? undefined : firstMissingPart(parent);
  return missing ?? (exists(path) ? undefined : path);
}

function hintFor(code: string | undefined, path: string): string | undefined {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      if (isMissingSession(path)) return NO_SESSION;
      return 'run as root, or ask the owner of that folder for the right to do so';
    case 'ENOSPC':
      return 'the file system is full: free some space there';
    case 'EDQUOT':
      return 'the disk quota is used up: free some space there';
    case 'EROFS':
      return 'the file system is mounted read-only';
    case 'EISDIR':
      return 'a file is expected there, not a folder';
    case 'ENOTDIR':
    case 'EEXIST':
      return 'something else is there where a folder is expected';
    case 'ENOENT': {
      const missing = firstMissingPart(path);
      return missing === undefined ? undefined : `"${missing}" does not exist`;
    }
    default:
      return undefined;
  }
}

/** What whoever has no login session, as with su, in cron or in a container, is told. */
export const NO_SESSION =
  'without a login session there is no such folder: set XDG_RUNTIME_DIR to one of your own, with mode 0700';

/** Whether a path is below the folder that pam_systemd(8) makes at a login, and which is not there. */
export function isMissingSession(path: string): boolean {
  const folder = /^\/run\/user\/\d+(?=\/|$)/.exec(path)?.[0];
  return folder !== undefined && !exists(folder);
}

function exists(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
