import type { ImageDetail, ImageFile, ImageInfo } from './image-file.ts';
import { isBochs, isCloop, isDmg } from './image-read-only.ts';
import { isVhdx, readVhdx } from './image-vhdx.ts';
import { isVmdk, readVmdk } from './image-vmdk.ts';
import { isVpc, readVpc } from './image-vpc.ts';

interface ImageFormat {
  readonly format: string;
  readonly matches: (head: Buffer, file: ImageFile) => boolean;
  readonly read: (head: Buffer, file: ImageFile) => ImageDetail;
}

/** Enough for every header below but those at the end of a file. */
const HEAD_BYTES = 4096;

const SECTOR_BYTES = 512;

/** Reads the header of an image known to be of that format; undefined when it is not. */
export function readFormat(file: ImageFile, format: string): ImageDetail | undefined {
  const head = file.read(0, HEAD_BYTES);
  const known = FORMATS.find((each) => each.format === format);
  return known?.matches(head, file) === true ? known.read(head, file) : undefined;
}

/**
 * The first format that matches. Sources: QEMU's docs/interop (qcow2.txt, qed_spec.txt, parallels.txt), the VMware
 * Virtual Disk Format 1.1, the VHD and [MS-VHDX] specifications, the LUKS 1.2.2 on-disk format, and for qcow (version
 * 1) and vdi what qemu-img writes.
 */
export function detectFormat(file: ImageFile): ImageInfo {
  const head = file.read(0, HEAD_BYTES);
  const known = FORMATS.find((format) => format.matches(head, file));
  return {
    format: known?.format ?? 'raw',
    virtualSizeBytes: known === undefined ? rawSize(file) : undefined,
    backingFile: undefined,
    backingFormat: undefined,
    ...known?.read(head, file),
  };
}

/** Formats that QEMU has no code to write for. */
const NEVER_WRITTEN: ImageDetail = { writeObstacle: 'is of a format that QEMU only reads' };

const QCOW_MAGIC = 'QFI\u{fb}';
const VDI_SIGNATURE = 0xbeda107f;

const FORMATS: readonly ImageFormat[] = [
  {
    format: 'qcow2',
    matches: (head) => startsWith(head, QCOW_MAGIC) && head.readUInt32BE(4) >= 2,
    read: readQcow2,
  },
  {
    format: 'qcow',
    matches: (head) => startsWith(head, QCOW_MAGIC) && head.readUInt32BE(4) === 1,
    read: (head, file) => ({
      virtualSizeBytes: Number(head.readBigUInt64BE(24)),
      backingFile: readText(file, Number(head.readBigUInt64BE(8)), head.readUInt32BE(16)),
      ...(head.readUInt32BE(36) === 1 ? { encryption: 'aes' as const } : {}),
    }),
  },
  { format: 'qed', matches: (head) => startsWith(head, 'QED\0'), read: readQed },
  { format: 'vmdk', matches: isVmdk, read: readVmdk },
  {
    format: 'vdi',
    matches: (head) => head.readUInt32LE(64) === VDI_SIGNATURE,
    read: (head) => ({ virtualSizeBytes: Number(head.readBigUInt64LE(368)) }),
  },
  { format: 'vhdx', matches: isVhdx, read: readVhdx },
  { format: 'vpc', matches: isVpc, read: readVpc },
  {
    format: 'luks',
    // QEMU opens version 1 only; to it LUKS2 is raw data.
    matches: (head) => startsWith(head, 'LUKS\u{ba}\u{be}') && head.readUInt16BE(6) === 1,
    read: (head, file) => ({ virtualSizeBytes: file.sizeBytes - head.readUInt32BE(104) * SECTOR_BYTES }),
  },
  {
    format: 'parallels',
    matches: (head) =>
      (startsWith(head, 'WithoutFreeSpace') || startsWith(head, 'WithouFreSpacExt')) && head.readUInt32LE(16) === 2,
    // The older kind uses the lower half of the field only.
    read: (head) => ({
      virtualSizeBytes:
        SECTOR_BYTES *
        (startsWith(head, 'WithoutFreeSpace') ? head.readUInt32LE(36) : Number(head.readBigUInt64LE(36))),
    }),
  },
  { format: 'bochs', matches: isBochs, read: () => NEVER_WRITTEN },
  { format: 'cloop', matches: isCloop, read: () => NEVER_WRITTEN },
  { format: 'dmg', matches: isDmg, read: () => NEVER_WRITTEN },
];

/** QEMU counts whole sectors. */
function rawSize(file: ImageFile): number {
  return Math.ceil(file.sizeBytes / SECTOR_BYTES) * SECTOR_BYTES;
}

/** "incompatible_features": the guest's data is in another file. */
const QCOW2_HAS_DATA_FILE = 4n;
/** The same: QEMU has found an error in it. */
const QCOW2_IS_CORRUPT = 2n;
const QCOW2_ENCRYPTION: readonly (ImageInfo['encryption'] | undefined)[] = [undefined, 'aes', 'luks'];

function readQcow2(head: Buffer, file: ImageFile): ImageDetail {
  const version = head.readUInt32BE(4);
  const headerBytes = version >= 3 ? head.readUInt32BE(100) : 72;
  const features = version >= 3 ? head.readBigUInt64BE(72) : 0n;
  const { backingFormat, dataFile, isDamaged } = readQcow2Extensions(file, headerBytes);
  const encryption = QCOW2_ENCRYPTION[head.readUInt32BE(32)];
  const hasDataFile = (features & QCOW2_HAS_DATA_FILE) !== 0n;
  return {
    virtualSizeBytes: Number(head.readBigUInt64BE(24)),
    backingFile: readText(file, Number(head.readBigUInt64BE(8)), head.readUInt32BE(16)),
    backingFormat,
    ...(hasDataFile && dataFile !== undefined ? { dataFile } : {}),
    ...(encryption === undefined ? {} : { encryption }),
    ...(hasDataFile && dataFile === undefined ? { obstacle: 'has its data in another file and does not name it' } : {}),
    ...((features & QCOW2_IS_CORRUPT) === 0n
      ? {}
      : { writeObstacle: 'is marked as corrupt', isDamaged: true as const }),
    ...(isDamaged ? { obstacle: 'has a damaged header' } : {}),
  };
}

const QCOW2_END_OF_EXTENSIONS = 0;
const QCOW2_BACKING_FORMAT = 0xe2792aca;
const QCOW2_DATA_FILE = 0x44415441;
/** QEMU itself writes five. */
const QCOW2_MOST_EXTENSIONS = 1000;

/** Header extensions are type, length and data, each padded to 8 bytes. Of two of a kind QEMU takes the last. */
function readQcow2Extensions(
  file: ImageFile,
  headerBytes: number,
): { backingFormat: string | undefined; dataFile: string | undefined; isDamaged: boolean } {
  const found = new Map<number, string | undefined>();
  const result = (isDamaged: boolean): ReturnType<typeof readQcow2Extensions> => {
    return { backingFormat: found.get(QCOW2_BACKING_FORMAT), dataFile: found.get(QCOW2_DATA_FILE), isDamaged };
  };
  let offset = headerBytes;
  for (let count = 0; count < QCOW2_MOST_EXTENSIONS; count += 1) {
    const extension = file.read(offset, 8);
    const type = extension.readUInt32BE(0);
    const length = extension.readUInt32BE(4);
    if (type === QCOW2_END_OF_EXTENSIONS) return result(false);
    if (type === QCOW2_BACKING_FORMAT || type === QCOW2_DATA_FILE) found.set(type, readText(file, offset + 8, length));
    offset += 8 + Math.ceil(length / 8) * 8;
  }
  return result(true);
}

const QED_HAS_BACKING_FILE = 1n;
const QED_BACKING_FILE_IS_RAW = 4n;

function readQed(head: Buffer, file: ImageFile): ImageDetail {
  const features = head.readBigUInt64LE(16);
  const virtualSizeBytes = Number(head.readBigUInt64LE(48));
  if ((features & QED_HAS_BACKING_FILE) === 0n) return { virtualSizeBytes };
  return {
    virtualSizeBytes,
    backingFile: readText(file, head.readUInt32LE(56), head.readUInt32LE(60)),
    backingFormat: (features & QED_BACKING_FILE_IS_RAW) === 0n ? undefined : 'raw',
  };
}

const LONGEST_TEXT_BYTES = 4096;

/** Undefined for an empty text, and for values that only a damaged header can have. */
function readText(file: ImageFile, offset: number, length: number): string | undefined {
  if (offset === 0 || offset >= file.sizeBytes || length === 0 || length > LONGEST_TEXT_BYTES) return undefined;
  const text = file.read(offset, length).toString();
  // QEMU treats it as a C string.
  return text.split('\0')[0] || undefined;
}

function startsWith(head: Buffer, text: string): boolean {
  return head.toString('latin1', 0, text.length) === text;
}
