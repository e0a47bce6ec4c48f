import type { ImageDetail, ImageFile } from './image-file.ts';

const SECTOR_BYTES = 512;
/** As much of it as QEMU reads. */
const LONGEST_DESCRIPTOR_BYTES = 1024 * 1024;

/** "compressAlgorithm" of a sparse extent: deflate. */
const COMPRESSED = 1;

/** A VMware image: a sparse extent (`KDMV`, `COWD`), or the text that lists the extents of a disk. */
export function isVmdk(head: Buffer): boolean {
  return isSparse(head) || isDescriptor(head);
}

/** Size and parent of a VMware image. */
export function readVmdk(head: Buffer, file: ImageFile): ImageDetail {
  switch (magic(head)) {
    case 'COWD':
      return { virtualSizeBytes: head.readUInt32LE(12) * SECTOR_BYTES };
    case 'KDMV': {
      const offset = Number(head.readBigUInt64LE(28)) * SECTOR_BYTES;
      const length = Number(head.readBigUInt64LE(36)) * SECTOR_BYTES;
      const descriptor = offset === 0 ? '' : readDescriptor(file, offset, length);
      const capacity = Number(head.readBigUInt64LE(12));
      // Without a capacity QEMU goes by the descriptor as if it were a file by itself.
      if (capacity === 0) return readDescribed(descriptor);
      return { virtualSizeBytes: capacity * SECTOR_BYTES, ...parentOf(descriptor), ...compressionOf(head) };
    }
    default:
      return readDescribed(readDescriptor(file, 0, file.sizeBytes));
  }
}

/** Whether an extent of a VMware disk, a file by itself, can only be read. */
export function compressionOf(head: Buffer): ImageDetail {
  const isCompressed = magic(head) === 'KDMV' && head.readUInt16LE(77) === COMPRESSED;
  return isCompressed ? { writeObstacle: STREAM_OPTIMIZED } : {};
}

const STREAM_OPTIMIZED = 'is compressed (streamOptimized), and QEMU cannot write to what is in it';

function readDescribed(descriptor: string): ImageDetail {
  const [, type = ''] = /^createType\s*=\s*"([^"]*)"/im.exec(descriptor) ?? [];
  return {
    virtualSizeBytes: sizeOfExtents(descriptor),
    ...parentOf(descriptor),
    extents: extentsOf(descriptor),
    ...(/^streamOptimized$/i.test(type) ? { writeObstacle: STREAM_OPTIMIZED } : {}),
    ...(/^seSparse$/i.test(type) ? { writeObstacle: 'is of a kind (seSparse) that QEMU only reads' } : {}),
  };
}

function magic(head: Buffer): string {
  return head.toString('latin1', 0, 4);
}

function isSparse(head: Buffer): boolean {
  return ['COWD', 'KDMV'].includes(magic(head));
}

/** The first line that is neither empty nor a comment gives the version, 1 to 3. */
function isDescriptor(head: Buffer): boolean {
  return /^(?:[ \t]*\r?\n|#[^\n]*\n)*version=[1-3]\r?\n/.test(head.toString('latin1'));
}

function readDescriptor(file: ImageFile, offset: number, length: number): string {
  const text = file.read(offset, Math.max(0, Math.min(length, LONGEST_DESCRIPTOR_BYTES))).toString();
  return text.split('\0')[0] ?? '';
}

/** QEMU reads these lines with scanf(3), for which blanks and line ends are the same. */
function extentsOf(descriptor: string): string[] {
  const names = descriptor.matchAll(
    /^\s*(?:RW|RDONLY|NOACCESS)\s+[+-]?\d+\s*(?:FLAT|SPARSE|VMFS|VMFSSPARSE|SESPARSE|VMFSRDM|VMFSRAW)\s*"([^"\r\n]+)/gm,
  );
  return [...names].map(([, name = '']) => name);
}

/** Extents are lines such as `RW 20480 SPARSE "web-s001.vmdk"`, with their size in sectors. */
function sizeOfExtents(descriptor: string): number {
  let sectors = 0;
  for (const [, count] of descriptor.matchAll(/^(?:RW|RDONLY|NOACCESS) (\d+) /gm)) sectors += Number(count);
  return sectors * SECTOR_BYTES;
}

function parentOf(descriptor: string): ImageDetail {
  // QEMU looks for the word anywhere, and passes over two characters.
  const [, backingFile] = /parentFileNameHint[\s\S]{2}([^"]+)"/.exec(descriptor) ?? [];
  return backingFile === undefined ? {} : { backingFile, backingFormat: 'vmdk' };
}
