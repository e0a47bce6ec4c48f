import { closeSync, constants, fstatSync, lstatSync, openSync, realpathSync, type Stats } from 'node:fs';
import { imageFile } from './image.ts';
import { detectFormat } from './image-format.ts';

/**
 * Whether a disk leads to no other file: it is a file without a header of any format, and no link is on the way to it.
 * False when only a closer look tells. For a look at the disks of many machines. Never throws.
 */
export function hasNoHeader(path: string): boolean {
  try {
    // Whose link it is would have to be looked at.
    if (realpathSync.native(path) !== path) return false;
    const stats = lstatSync(path);
    if (!stats.isFile()) return false;
    const version = versionOf(stats);
    if (without.get(path) === version) return true;
    const isWithout = version === detectIn(path);
    if (isWithout && Date.now() - stats.ctimeMs > TICK_MS) remember(path, version);
    return isWithout;
  } catch {
    return false;
  }
}

/** Those that were found to have none, by their path: each is opened once by a command, and again after it has changed. */
const without = new Map<string, string>();
const MOST_REMEMBERED = 2000;

/** A jiffy at 100 Hz, the slowest clock that Linux is built with, twice: a second change within one does not show. */
const TICK_MS = 20;

function remember(path: string, version: string): void {
  if (without.size >= MOST_REMEMBERED) without.clear();
  without.set(path, version);
}

/** The version of a file without a header; undefined when it has one. */
function detectIn(path: string): string | undefined {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return undefined;
    return detectFormat(imageFile(descriptor, stats.size)).format === 'raw' ? versionOf(stats) : undefined;
  } finally {
    closeSync(descriptor);
  }
}

/** The metadata that change with every change of a file: inode(7). */
function versionOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return [dev, ino, size, mtimeMs, ctimeMs].join(':');
}
