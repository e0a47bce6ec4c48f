import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';

/** Where programs are looked for when there is no PATH at all, as under some init systems. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Absolute path of a program, found as execvp(3) does: a name with a slash is a path, any other is looked up in `PATH`.
 * Folders in `PATH` that are relative or empty are passed over, so that nothing in the current folder is ever run by
 * accident. Undefined when no such file is there that this user may execute.
 */
export function findProgram(name: string, pathVariable = process.env['PATH'] ?? DEFAULT_PATH): string | undefined {
  if (name.includes('/')) return isExecutable(name) ? resolve(name) : undefined;
  if (name === '') return undefined;
  return pathVariable
    .split(':')
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
