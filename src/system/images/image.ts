import { closeSync, existsSync, readFileSync, readSync, type Stats } from 'node:fs';
import { QemuError } from '../../base/errors.ts';
import { fileError } from '../files/file-error.ts';
import { openNamed } from '../trust/open-named.ts';
import type { ImageFile, ImageInfo } from './image-file.ts';
import { detectFormat } from './image-format.ts';

export type { ImageInfo } from './image-file.ts';

/**
 * Reads the header of a disk image by the rules of `qemu-img info`, without starting it. A file of no known format is
 * `raw`. So is every block device: only its owner can know what is on it.
 *
 * Note that a guest can write any header to a disk that is `raw`: the answer is only safe to rely on for an image
 * whose format is not raw, or that no guest has written to.
 *
 * @throws {QemuError} `QEMU_IO` when it is missing, a folder, or cannot be read, `QEMU_NOT_PERMITTED` when this user
 * may not read it.
 */
export function readImageInfo(path: string): ImageInfo {
  return withImage(path, (file, stats) => {
    return stats.isBlockDevice() ? { ...UNKNOWN, virtualSizeBytes: file.sizeBytes } : detectFormat(file);
  });
}

/**
 * Does something with an image that is open for reading, see {@link openNamed}.
 *
 * @throws {QemuError} as {@link readImageInfo}.
 */
export function withImage<T>(path: string, body: (file: ImageFile, stats: Stats, descriptor: number) => T): T {
  let descriptor: number | undefined;
  try {
    const opened = openNamed(path, (stats) => {
      if (!stats.isFile() && !stats.isBlockDevice()) throw notAFile(path, stats);
    });
    const { stats } = opened;
    descriptor = opened.descriptor;
    return body(
      imageFile(descriptor, stats.isBlockDevice() ? (deviceSize(stats) ?? 0) : stats.size),
      stats,
      descriptor,
    );
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

/** Size in bytes, from sysfs; undefined when that is not mounted. */
function deviceSize(stats: Stats): number | undefined {
  const path = `/sys/dev/block/${deviceNumber(stats.rdev)}/size`;
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) * 512 : undefined;
}

/** `major:minor` of a device, as sysfs and mountinfo write it: makedev(3). */
export function deviceNumber(device: number): string {
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  return `${major}:${minor}`;
}

function notAFile(path: string, stats: Stats): QemuError {
  return new QemuError('QEMU_IO', `Cannot read image "${path}"`, {
    hint: stats.isDirectory() ? 'it is a folder' : 'it is neither a file nor a block device',
  });
}

/** An open file as an image. */
export function imageFile(descriptor: number, sizeBytes: number): ImageFile {
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
