import { statSync } from 'node:fs';
import type { MachineConfig } from '../../config/types.ts';
import type { ImageSnapshot } from '../../system/images/qcow2-snapshots.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { snapshotsBelow } from './below.ts';
import { disksOfConfig, type SnapshotDisk, snapshotsIn } from './snapshot-disks.ts';
import { readSnapshotNotes, type SnapshotNote } from './snapshot-notes.ts';

/** A snapshot of a machine. */
export interface Snapshot {
  readonly name: string;
  /** ISO 8601. */
  readonly created: string;
  readonly description: string | undefined;
  /** Whether RAM and devices are in it. */
  readonly memory: boolean;
  /** Whether the file systems were frozen; undefined: not known. */
  readonly quiesced: boolean | undefined;
  readonly external: boolean;
  /** Bytes of RAM and devices; of an external one what its layers take on the host by now. */
  readonly sizeBytes: number;
  /** `DSK1` …, and `FIRMWARE` for the variables of UEFI. */
  readonly disks: readonly string[];
  /** The external snapshot that has to be deleted before this one can be used; undefined: none. */
  readonly below: string | undefined;
}

/**
 * The snapshots of a machine that runs or does not, oldest first. What the images contain is the truth; what is noted
 * of one that none of them has is left out.
 *
 * @throws {ConfigError} when an image cannot be used. @throws {QemuError} `QEMU_NOT_PERMITTED`, `QEMU_IO`.
 */
export function listSnapshots(host: MachineContext, target: MachineRef, config: MachineConfig): Snapshot[] {
  const disks = disksOfConfig(host, config, target.files);
  return mergeSnapshots(disks, readSnapshotNotes(target.files));
}

function mergeSnapshots(disks: readonly SnapshotDisk[], notes: readonly SnapshotNote[]): Snapshot[] {
  const top = snapshotsIn(disks);
  const inside = [...top].map(([name, holders]) => insideOf(name, holders, notes, undefined));
  const hidden = [...snapshotsBelow(notes)].flatMap(([name, { below, holders }]) =>
    top.has(name) ? [] : [insideOf(name, holders, notes, below)],
  );
  const outside = notes.flatMap(({ name, created, description, quiesced, layers }): Snapshot[] => {
    if (layers.length === 0) return [];
    const sizeBytes = layers.reduce((sum, { overlay }) => sum + (sizeOf(overlay) ?? 0), 0);
    const keys = layers.map(({ key }) => key);
    return [
      { name, created, description, memory: false, quiesced, external: true, sizeBytes, disks: keys, below: undefined },
    ];
  });
  return [...inside, ...hidden, ...outside].sort((a, b) => a.created.localeCompare(b.created));
}

function insideOf(
  name: string,
  holders: ReadonlyMap<string, ImageSnapshot>,
  notes: readonly SnapshotNote[],
  below: string | undefined,
): Snapshot {
  const note = notes.find((each) => each.name === name && each.layers.length === 0);
  const each = [...holders.values()];
  const memoryBytes = Math.max(...each.map((one) => one.memoryBytes));
  return {
    name,
    created: note?.created ?? each[0]?.created ?? '',
    description: note?.description,
    memory: memoryBytes > 0,
    quiesced: note?.quiesced,
    external: false,
    sizeBytes: memoryBytes,
    disks: [...holders.keys()],
    below,
  };
}

/** Bytes that a file takes: stat(2), st_blocks. */
function sizeOf(path: string): number | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats && stats.blocks * 512;
}
