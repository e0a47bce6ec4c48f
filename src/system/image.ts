import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync, readSync, type Stats } from 'node:fs';
import { QemuError } from '../errors.ts';
import { fileError } from './file-error.ts';
import { detectFormat, type ImageFile, type ImageInfo } from './image-formats.ts';

export type { ImageInfo } from './image-formats.ts';

/**
 * What a disk image says of itself in its header, by the rules that `qemu-img info` goes by, without that process. A
 * file of no known format is `raw`. So is every block device: nobody but its owner can tell what is on it.
 *
 * Note that a guest can write any header to a disk that is `raw`: the answer is only safe to rely on for an image
 * whose format is not raw, or that no guest has written to.
 *
 * @throws {QemuError} `QEMU_IO` when it is missing, a folder, or cannot be read, `QEMU_NOT_PERMITTED` when this user
 * may not read it.
 */
export function readImageInfo(path: string): ImageInfo {
  let descriptor: number | undefined;
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(descriptor);
    if (stats.isBlockDevice()) return { ...UNKNOWN, virtualSizeBytes: deviceSize(stats) };
    if (!stats.isFile()) throw notAFile(path, stats);
    return detectFormat(imageFile(descriptor, stats.size));
  } catch (error) {
    throw error instanceof QemuError ? error : fileError('read image', path, error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

const UNKNOWN: ImageInfo = {
  format: 'raw',
  virtualSizeBytes: undefined,
  backingFile: undefined,
  backingFormat: undefined,
};

/** Size in sectors of 512 bytes, from sysfs; undefined when that is not mounted. */
function deviceSize(stats: Stats): number | undefined {
  const major = (stats.rdev >> 8) & 0xfff;
  const minor = (stats.rdev & 0xff) | ((stats.rdev >> 12) & 0xfff00);
  const path = `/sys/dev/block/${major}:${minor}/size`;
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) * 512 : undefined;
}

function notAFile(path: string, stats: Stats): QemuError {
  return new QemuError('QEMU_IO', `Cannot read image "${path}"`, {
    hint: stats.isDirectory() ? 'it is a folder' : 'it is neither a file nor a block device',
  });
}

function imageFile(descriptor: number, sizeBytes: number): ImageFile {
  return {
    sizeBytes,
    read: (offset, length) => {
      const buffer = Buffer.alloc(length);
      if (offset < 0 || offset >= sizeBytes) return buffer;
      readSync(descriptor, buffer, 0, length, offset);
      return buffer;
    },
  };
}
