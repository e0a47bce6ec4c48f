import { join } from 'node:path';
import { type GuestOptions, writeGuestDisk } from '../../scripts/guest-disk.mjs';

export {
  bootSector,
  DEFAULT_BANNER,
  DISK_BYTES,
  type GuestOptions,
  SPAM_LINE_BYTES,
} from '../../scripts/guest-disk.mjs';

/** Writes a disk with the tiny guest into a folder and returns its path. */
export function guestDisk(dir: string, options: GuestOptions & { readonly name?: string } = {}): string {
  const { name = 'disk.raw', ...guest } = options;
  const path = join(dir, name);
  writeGuestDisk(path, guest);
  return path;
}
