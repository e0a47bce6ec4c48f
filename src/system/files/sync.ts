import { closeSync, constants, fsyncSync, openSync } from 'node:fs';

/** Flushes a folder's entries, or a file, to the disk: fsync(2). @throws the error of open(2) or fsync(2). */
export function syncPath(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
