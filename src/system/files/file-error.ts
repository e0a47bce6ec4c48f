import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode, QemuError } from '../../base/errors.ts';

/**
 * A failed file operation as a {@link QemuError}: `QEMU_NOT_PERMITTED` for EACCES and EPERM, else `QEMU_IO`.
 *
 * @param action The failed action, as in `Cannot read "…"`: `read`, `write`, `remove`.
 */
export function fileError(action: string, path: string, cause: unknown): QemuError {
  const code = errorCode(cause);
  // A file is often reached through its open folder (proc_pid_fd(5)), which tells people nothing.
  if (cause instanceof Error) cause.message = cause.message.replace(HELD_FOLDER, () => `${dirname(path)}/`);
  const denied = code === 'EACCES' || code === 'EPERM';
  return new QemuError(denied ? 'QEMU_NOT_PERMITTED' : 'QEMU_IO', `Cannot ${action} "${path}"`, {
    cause,
    hint: hintFor(code, path),
  });
}

const HELD_FOLDER = /\/proc\/self\/fd\/\d+\//g;

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
      return 'expected a file there, not a folder';
    case 'ENOTDIR':
    case 'EEXIST':
      return 'expected a folder there';
    case 'ENOENT': {
      const missing = firstMissingPart(path);
      return missing === undefined ? undefined : `"${missing}" does not exist`;
    }
    default:
      return undefined;
  }
}

/** Hint for a user without a login session, as with su, in cron or in a container. */
export const NO_SESSION =
  'without a login session there is no such folder: set XDG_RUNTIME_DIR to a folder of yours with mode 0700';

/** Whether a path is below the folder that pam_systemd(8) makes at a login, and that folder is missing. */
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
