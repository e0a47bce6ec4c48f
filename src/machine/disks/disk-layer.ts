import { asArray, asNumber, asRecord, asText, optionalNumber, optionalText } from '../../base/guards.ts';

/** One disk of a machine as it is now. */
export interface DiskNow {
  /** Key in the machine's file: `DSK1`. */
  readonly key: string;
  /** Node of the active layer; undefined for a machine that does not run. */
  readonly node: string | undefined;
  /** The active layer, and what it rests on, from the top down; at least one. */
  readonly layers: readonly [DiskLayer, ...DiskLayer[]];
  /** Bytes that the guest sees. */
  readonly virtualSizeBytes: number;
  /** `ok`, `failed` or `nospace`; undefined for a machine that does not run, and for disks that stop nothing. */
  readonly ioStatus: string | undefined;
  /** What the guest writes is refused. */
  readonly readonly: boolean;
}

/** An image that a disk consists of. */
export interface DiskLayer {
  /** Node of its format; undefined for a machine that does not run. */
  readonly node: string | undefined;
  /** Node of its file. */
  readonly fileNode: string | undefined;
  /** Path of the file, or what QEMU calls something else. */
  readonly file: string;
  /** Format driver such as `qcow2`. */
  readonly format: string;
  readonly virtualSizeBytes: number;
  /** Bytes that it takes on the host; undefined: not known. */
  readonly actualSizeBytes: number | undefined;
  readonly bitmaps: readonly DirtyBitmap[];
  readonly snapshots: readonly ImageSnapshot[];
  /** QEMU has found an error in it, and marked it. */
  readonly corrupt: boolean;
}

/** A record of which blocks were written since it was made: for incremental backups. */
export interface DirtyBitmap {
  readonly name: string;
  /** It is kept in the image. */
  readonly persistent: boolean;
  /** Writes are recorded in it. */
  readonly recording: boolean;
  /** A job uses it. */
  readonly busy: boolean;
  /** It was not closed cleanly, and is worth nothing. Of a machine that does not run this is what the header says. */
  readonly inconsistent: boolean;
  /** Bytes that each bit stands for. */
  readonly granularityBytes: number;
  /** Bytes that were written since; undefined for a machine that does not run. */
  readonly dirtyBytes: number | undefined;
}

/** A snapshot inside an image. */
export interface ImageSnapshot {
  readonly id: string;
  readonly name: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Memory and devices; 0: disks only. */
  readonly vmStateBytes: number;
}

/** Snapshots as QEMU and qemu-img(1) list them (`SnapshotInfo`). */
export function parseSnapshots(value: unknown): ImageSnapshot[] {
  return asArray(value).map((each) => {
    const snapshot = asRecord(each);
    const ms = asNumber(snapshot['date-sec']) * 1000 + Math.floor(asNumber(snapshot['date-nsec']) / 1e6);
    // An image may have any number there; past the last one is no date (ECMA-262, "Time Values and Time Range").
    const createdAt = new Date(Math.abs(ms) <= 8.64e15 ? ms : 0).toISOString();
    return {
      id: asText(snapshot['id']),
      name: asText(snapshot['name']),
      createdAt,
      vmStateBytes: asNumber(snapshot['vm-state-size']),
    };
  });
}

/** Bitmaps of a QEMU that has the image open (`BlockDirtyInfo`). */
export function parseBitmaps(value: unknown): DirtyBitmap[] {
  return asArray(value).flatMap((each) => {
    const bitmap = asRecord(each);
    const name = optionalText(bitmap['name']);
    // Jobs have some of their own, without a name.
    if (name === undefined) return [];
    return [
      {
        name,
        persistent: bitmap['persistent'] === true,
        recording: bitmap['recording'] === true,
        busy: bitmap['busy'] === true,
        inconsistent: bitmap['inconsistent'] === true,
        granularityBytes: asNumber(bitmap['granularity']),
        dirtyBytes: optionalNumber(bitmap['count']),
      },
    ];
  });
}

/** Bitmaps of an image that is closed (`Qcow2BitmapInfo`). */
export function parseStoredBitmaps(value: unknown): DirtyBitmap[] {
  return asArray(value).map((each) => {
    const bitmap = asRecord(each);
    const flags = asArray(bitmap['flags']);
    return {
      name: asText(bitmap['name']),
      persistent: true,
      recording: flags.includes('auto'),
      busy: false,
      inconsistent: flags.includes('in-use'),
      granularityBytes: asNumber(bitmap['granularity']),
      dirtyBytes: undefined,
    };
  });
}
