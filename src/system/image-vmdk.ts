import type { ImageDetail, ImageFile } from './image-formats.ts';

const SECTOR_BYTES = 512;
const LONGEST_DESCRIPTOR_BYTES = 64 * 1024;

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
      return { virtualSizeBytes: Number(head.readBigUInt64LE(12)) * SECTOR_BYTES, ...parentOf(descriptor) };
    }
    default: {
      const descriptor = readDescriptor(file, 0, file.sizeBytes);
      return { virtualSizeBytes: sizeOfExtents(descriptor), ...parentOf(descriptor) };
    }
  }
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
  return file.read(offset, Math.min(length, LONGEST_DESCRIPTOR_BYTES)).toString();
}

/** Extents are lines such as `RW 20480 SPARSE "web-s001.vmdk"`, with their size in sectors. */
function sizeOfExtents(descriptor: string): number {
  let sectors = 0;
  for (const [, count] of descriptor.matchAll(/^(?:RW|RDONLY|NOACCESS) (\d+) /gm)) sectors += Number(count);
  return sectors * SECTOR_BYTES;
}

function parentOf(descriptor: string): ImageDetail {
  const [, backingFile] = /^parentFileNameHint="([^"\n]+)"/m.exec(descriptor) ?? [];
  return backingFile === undefined ? {} : { backingFile, backingFormat: 'vmdk' };
}
