import { QemuError } from '../../base/errors.ts';
import { withImage } from './image.ts';

/** Variables of a firmware have 64 MiB at most. */
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * The content of an image that has to be small, such as the variables of a firmware. What was looked at is what is read,
 * whatever a user of QEMU puts there in between.
 *
 * @throws {QemuError} as {@link withImage}, and `QEMU_IO` for a larger one, or a device.
 */
export function readSmallImage(path: string): Buffer {
  return withImage(path, (file, stats) => {
    if (stats.isFile() && stats.size <= MOST_BYTES) return file.read(0, stats.size);
    throw new QemuError('QEMU_IO', `"${path}" is not a file of at most ${MOST_BYTES} bytes`);
  });
}
