import { QemuError } from '../../base/errors.ts';
import { withImage } from './image.ts';
import type { ImageFile } from './image-file.ts';

/** A snapshot inside a qcow2 image. */
export interface ImageSnapshot {
  /** QEMU's number of it, as text. */
  readonly id: string;
  readonly name: string;
  /** ISO 8601. */
  readonly created: string;
  /** Bytes of RAM and devices; 0: only the disk. */
  readonly memoryBytes: number;
}

/** QEMU_MAX_SNAPSHOTS would be 65536 (block/qcow2.h): more than a person makes is damage. */
const MOST_SNAPSHOTS = 4096;
/** An entry has at most 40 bytes, 1 KiB of extra data, and an id and a name of 64 KiB each. */
const FIXED_BYTES = 40;
const MOST_EXTRA_BYTES = 1024;
const MAGIC = 0x514649fb;

/**
 * The snapshots inside an image, in QEMU's order; none for one that is not qcow2. Sources: docs/interop/qcow2.txt of
 * QEMU, "Snapshots". A guest cannot write there, but a QEMU that it has captured can: nothing in it is believed but
 * what fits.
 *
 * @throws {QemuError} `QEMU_IO` when the file is missing or its table is damaged, `QEMU_NOT_PERMITTED`.
 */
export function readImageSnapshots(path: string): ImageSnapshot[] {
  return withImage(path, (file) => {
    if (file.read(0, 4).readUInt32BE(0) !== MAGIC) return [];
    const header = file.read(60, 12);
    const count = header.readUInt32BE(0);
    const found: ImageSnapshot[] = [];
    let at = header.readBigUInt64BE(4);
    if (count > MOST_SNAPSHOTS) throw damaged(path);
    while (found.length < count) {
      if (at + BigInt(FIXED_BYTES) > BigInt(file.sizeBytes)) throw damaged(path);
      const { snapshot, length } = readEntry(path, file, Number(at));
      found.push(snapshot);
      at += BigInt(length);
    }
    return found;
  });
}

function readEntry(path: string, file: ImageFile, at: number): { snapshot: ImageSnapshot; length: number } {
  const fixed = file.read(at, FIXED_BYTES);
  const idBytes = fixed.readUInt16BE(12);
  const nameBytes = fixed.readUInt16BE(14);
  const extraBytes = fixed.readUInt32BE(36);
  if (extraBytes > MOST_EXTRA_BYTES) throw damaged(path);
  const extra = file.read(at + FIXED_BYTES, extraBytes);
  const texts = file.read(at + FIXED_BYTES + extraBytes, idBytes + nameBytes);
  const memory = extraBytes >= 8 ? Number(extra.readBigUInt64BE(0)) : fixed.readUInt32BE(32);
  const snapshot = {
    id: texts.toString('utf8', 0, idBytes),
    name: texts.toString('utf8', idBytes),
    created: new Date(fixed.readUInt32BE(16) * 1000).toISOString(),
    memoryBytes: memory,
  };
  const length = FIXED_BYTES + extraBytes + idBytes + nameBytes;
  return { snapshot, length: Math.ceil(length / 8) * 8 };
}

function damaged(path: string): QemuError {
  return new QemuError('QEMU_IO', `The table of snapshots in "${path}" is damaged`, {
    hint: 'look at it with qemu-img check',
  });
}
