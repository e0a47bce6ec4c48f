import type { ImageDetail, ImageFile } from './image-file.ts';

const FOOTER_BYTES = 512;
const COOKIE = 'conectix';

/** Programs that write the size they mean; others mean cylinders × heads × sectors. */
const EXACT_CREATORS: readonly string[] = ['win ', 'qem2', 'd2v ', 'tap\0', 'CTXS'];

/** Largest geometry the footer can hold; it is used for every larger disk. */
const LARGEST_GEOMETRY = 65_535 * 16 * 255;

/** "Disk type" of the footer: the rest of the data is in a parent image. */
const DIFFERENCING = 4;

/** A VHD image: growing ones begin with a copy of the footer, fixed ones have it at the end only. */
export function isVpc(head: Buffer, file: ImageFile): boolean {
  return hasCookie(head) || hasCookie(lastSector(file));
}

/** Size of a VHD image, and whether it is a whole one. */
export function readVpc(head: Buffer, file: ImageFile): ImageDetail {
  const footer = hasCookie(head) ? head : lastSector(file);
  const geometry = footer.readUInt16BE(56) * footer.readUInt8(58) * footer.readUInt8(59);
  const isExact = EXACT_CREATORS.includes(footer.toString('latin1', 28, 32)) || geometry === LARGEST_GEOMETRY;
  return {
    virtualSizeBytes: isExact ? Number(footer.readBigUInt64BE(48)) : geometry * 512,
    ...(footer.readUInt32BE(60) === DIFFERENCING
      ? { obstacle: 'is a differencing disk, whose parent QEMU does not read' }
      : {}),
  };
}

function hasCookie(footer: Buffer): boolean {
  return footer.toString('latin1', 0, COOKIE.length) === COOKIE;
}

function lastSector(file: ImageFile): Buffer {
  return file.read(file.sizeBytes - FOOTER_BYTES, FOOTER_BYTES);
}
