import { QemuError } from '../../base/errors.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { ImageSnapshot } from '../../system/images/qcow2-snapshots.ts';
import type { MachineRef } from '../context.ts';
import { snapshotsIn } from './snapshot-disks.ts';
import type { SnapshotNote } from './snapshot-notes.ts';

/** A snapshot inside images that an external one was laid over afterwards. */
export interface SnapshotBelow {
  /** Name of the external one. */
  readonly below: string;
  /** By the keys of the disks. */
  readonly holders: ReadonlyMap<string, ImageSnapshot>;
}

/**
 * The snapshots inside images that external ones have been laid over, by their names. QEMU cannot go back to them before
 * the external one is deleted, which merges what is above the images into them.
 *
 * @throws {QemuError} `QEMU_IO`, `QEMU_NOT_PERMITTED`.
 */
export function snapshotsBelow(notes: readonly SnapshotNote[]): ReadonlyMap<string, SnapshotBelow> {
  const found = new Map<string, SnapshotBelow>();
  for (const { name: below, layers } of notes) {
    const bases = layers.map(({ key, base, format }) => ({ key, file: base, format }));
    for (const [name, holders] of snapshotsIn(bases)) found.set(name, { below, holders });
  }
  return found;
}

/** The error of a snapshot that is below an external one. */
export function isBelow({ longName }: MachineRef, name: string, below: string): QemuError {
  const remove = shellCommand('qemu-init', 'snapshot', 'delete', longName, below);
  return new QemuError(
    'QEMU_COMMAND_FAILED',
    `Snapshot "${name}" is inside images that the external snapshot "${below}" was laid over`,
    { hint: `delete that one first; the machine stays as it is: ${remove}` },
  );
}
