import type { ImageDetail, ImageFile } from './image-file.ts';

const SIGNATURE = 'vhdxfile';

/** Offsets of the two copies of the region table. */
const REGION_TABLES: readonly number[] = [192 * 1024, 256 * 1024];
const REGION_TABLE_BYTES = 64 * 1024;
const METADATA_TABLE_BYTES = 64 * 1024;
const MOST_ENTRIES = 2047;

/** GUIDs as they lie in the file: the first three groups are little-endian. */
const METADATA_REGION = '06a27c8b90479a4bb8fe575f050f886e';
const FILE_PARAMETERS = '3767a1ca36fa434db3b633f0aa44e76b';
const VIRTUAL_DISK_SIZE = '2442a52f1bcd7648b2115dbed83bf4b8';

/** Flag of the file parameters: the rest of the data is in a parent image. */
const HAS_PARENT = 2;

/** A Hyper-V image. */
export function isVhdx(head: Buffer): boolean {
  return head.toString('latin1', 0, SIGNATURE.length) === SIGNATURE;
}

/** Size of a Hyper-V image, and whether it is a whole one: items of its metadata region ([MS-VHDX] 2.2.3, 2.6). */
export function readVhdx(_head: Buffer, file: ImageFile): ImageDetail {
  for (const offset of REGION_TABLES) {
    const detail = readMetadata(file, offset);
    if (detail !== undefined) return detail;
  }
  return {};
}

function readMetadata(file: ImageFile, offset: number): ImageDetail | undefined {
  const regions = file.read(offset, REGION_TABLE_BYTES);
  if (regions.toString('latin1', 0, 4) !== 'regi') return undefined;
  const region = findEntry(regions, 16, regions.readUInt32LE(8), METADATA_REGION);
  if (region === undefined) return undefined;
  const metadataOffset = Number(region.readBigUInt64LE(16));
  const metadata = file.read(metadataOffset, METADATA_TABLE_BYTES);
  if (metadata.toString('latin1', 0, 8) !== 'metadata') return undefined;
  const read = (guid: string): bigint | undefined => {
    const item = findEntry(metadata, 32, metadata.readUInt16LE(10), guid);
    return item && file.read(metadataOffset + item.readUInt32LE(16), 8).readBigUInt64LE(0);
  };
  const size = read(VIRTUAL_DISK_SIZE);
  if (size === undefined) return undefined;
  const flags = Number((read(FILE_PARAMETERS) ?? 0n) >> 32n);
  return {
    virtualSizeBytes: Number(size),
    ...((flags & HAS_PARENT) === 0 ? {} : { obstacle: 'is a differencing disk, whose parent QEMU does not read' }),
  };
}

/** Both tables have entries of 32 bytes that begin with a GUID. */
function findEntry(table: Buffer, start: number, count: number, guid: string): Buffer | undefined {
  for (let index = 0; index < Math.min(count, MOST_ENTRIES - 1); index += 1) {
    const entry = table.subarray(start + index * 32, start + index * 32 + 32);
    if (entry.toString('hex', 0, 16) === guid) return entry;
  }
  return undefined;
}
