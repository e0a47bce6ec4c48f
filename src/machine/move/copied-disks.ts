import type { DiskConfig } from '../../config/device-config.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { DiskNow } from '../disks/disk-layer.ts';
import { isSameFile } from '../disks/same-file.ts';

/** A disk whose contents go along with its guest. Data alone: it may go over a line. */
export interface CopiedDisk {
  /** `DSK1`. */
  readonly key: string;
  /** Format of the new image. */
  readonly format: 'qcow2' | 'raw';
  /** Bytes that the guest sees. */
  readonly sizeBytes: number;
  /** Bytes that the new image takes at most, about. */
  readonly storedBytes: number;
}

/** The disks of a machine that are to go along, what is in the way of that, and what stays behind. */
export interface Copies {
  readonly disks: readonly CopiedDisk[];
  readonly problems: readonly string[];
  readonly left: readonly string[];
}

/**
 * What a move copies: what the guest sees of each disk, into one image. Layers below and snapshots inside stay behind.
 * Pure.
 *
 * @param now the disks as QEMU has them.
 */
export function copiesOf({ disks }: Pick<MachineConfig, 'disks'>, now: readonly DiskNow[]): Copies {
  const found = disks.map((disk) => ({ disk, now: now.find(({ key }) => key === keyOf(disk)) }));
  return {
    disks: found.flatMap((each) => (each.now === undefined ? [] : [copyOf(each.now)])),
    problems: found.flatMap((each) => {
      const why = obstacle(each.disk, each.now);
      return why === undefined ? [] : [`${keyOf(each.disk)} cannot be copied: ${why}`];
    }),
    left: found.flatMap((each) => (each.now === undefined ? [] : leftOf(each.now))),
  };
}

function keyOf({ index }: DiskConfig): string {
  return `DSK${index}`;
}

function copyOf({ key, virtualSizeBytes, layers }: DiskNow): CopiedDisk {
  // Two layers may have the same part of the disk.
  const stored = layers.reduce((sum, { actualSizeBytes }) => sum + (actualSizeBytes ?? virtualSizeBytes), 0);
  return {
    key,
    format: layers[0].format === 'raw' ? 'raw' : 'qcow2',
    sizeBytes: virtualSizeBytes,
    storedBytes: Math.min(stored, virtualSizeBytes),
  };
}

function obstacle(disk: DiskConfig, now: DiskNow | undefined): string | undefined {
  if (disk.readonly) return 'it is readonly; copy its file, and move the machine without it';
  if (disk.key !== undefined) return 'it is encrypted, and the copy would not be';
  if (now === undefined) return 'QEMU does not have it';
  const [{ file }] = now.layers;
  return isSameFile(file, disk.file) ? undefined : `it is "${file}" as it runs, but "${disk.file}" in its file`;
}

function leftOf({ key, layers }: DiskNow): string[] {
  const [{ snapshots, file }] = layers;
  if (snapshots.length === 0) return [];
  const what = snapshots.length === 1 ? 'a snapshot' : `${snapshots.length} snapshots`;
  const stay = snapshots.length === 1 ? 'is not copied: it stays' : 'are not copied: they stay';
  return [`${what} of ${key} ${stay} in "${file}"`];
}
