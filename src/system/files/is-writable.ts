import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from '../../base/errors.ts';

/**
 * Whether files in a folder may be made and removed: it is not of others, and not on a file system that is read-only to
 * this process. Of a folder that is not there yet the one above it counts.
 */
export function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' && dirname(folder) !== folder) return isWritable(dirname(folder));
    return code !== 'EROFS' && code !== 'EACCES';
  }
}
