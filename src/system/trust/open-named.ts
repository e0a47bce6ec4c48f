import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs';
import { refuseForeignLink } from './foreign-link.ts';

/** A file that is open for reading. The caller closes the descriptor. */
export interface OpenFile {
  readonly descriptor: number;
  readonly stats: Stats;
}

/**
 * Opens a file to read that a user has named. What the path leads to is looked at before it is opened, and what is opened is
 * what was looked at: opening a device can act on it (a watchdog is armed, a tape rewound), and a FIFO may be put there in
 * between. Links of other users lead root only to what those may read.
 *
 * @param demand throws when it is not what is wanted.
 * @throws {QemuError} `QEMU_NOT_PERMITTED` for such a link; the error of open(2); and what `demand` throws.
 */
export function openNamed(path: string, demand: (stats: Stats) => void): OpenFile {
  const place = openSync(path, O_PATH);
  try {
    const stats = fstatSync(place);
    demand(stats);
    if (stats.isFile() || stats.isBlockDevice()) refuseForeignLink(path, place, stats);
    return { descriptor: reopen(place, path), stats };
  } finally {
    closeSync(place);
  }
}

/**
 * Opens a place in the file system without what is there: open(2). Node has no name for it; the same number on all its
 * Linux ports.
 */
const O_PATH = 0o10000000;

/** proc(5): opening this link opens the very file, whatever the path leads to by now. */
function reopen(place: number, path: string): number {
  const link = `/proc/self/fd/${place}`;
  try {
    return openSync(link, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error) error.message = error.message.replace(link, path);
    throw error;
  }
}
