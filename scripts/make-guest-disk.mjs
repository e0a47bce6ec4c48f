/** Writes the tiny guest as a disk image: `node scripts/make-guest-disk.mjs FILE [BANNER]`. */
import { writeGuestDisk } from './guest-disk.mjs';

const [path, banner] = process.argv.slice(2);
// A word with a dash is an option that somebody hoped for, not a file.
if (path === undefined || path.startsWith('-')) {
  console.error('Usage: node scripts/make-guest-disk.mjs FILE [BANNER]');
  process.exitCode = 2;
} else {
  writeGuestDisk(path, banner === undefined ? {} : { banner });
}
