import { QemuError } from '../../base/errors.ts';
import { quote } from '../../base/text.ts';
import type { MachineRef } from '../../machine/context.ts';
import { isSameFile } from '../../machine/disks/same-file.ts';
import { forgetSnapshot, readSnapshotNotes, type SnapshotNote } from '../../machine/snapshot/snapshot-notes.ts';
import { readImageSnapshots } from '../../system/images/qcow2-snapshots.ts';

/** Snapshots that go with images which are about to be replaced. */
export interface LostSnapshots {
  readonly inside: readonly string[];
  /** External ones whose content is in these images. */
  readonly external: readonly string[];
  /** External ones whose overlays these images are: what was below them stays. */
  readonly apart: readonly SnapshotNote[];
}

/** To be called while the images are still there. One that cannot be read has none. */
export function snapshotsToLose({ files }: MachineRef, images: readonly string[]): LostSnapshots {
  const notes = readSnapshotNotes(files);
  const isAmong = (file: string): boolean => images.some((image) => isSameFile(file, image));
  const external = notes.filter(({ layers }) => layers.some(({ base }) => isAmong(base)));
  const apart = notes.filter((note) => !external.includes(note) && note.layers.some(({ overlay }) => isAmong(overlay)));
  return { inside: [...new Set(images.flatMap(namesInside))], external: external.map(({ name }) => name), apart };
}

/**
 * Forgets them, now that the images are replaced: a revert would take other content for that of the snapshot.
 *
 * @returns what to tell.
 */
export function forgetLost({ files }: MachineRef, { inside, external, apart }: LostSnapshots): readonly string[] {
  for (const name of external) forgetSnapshot(files, name);
  const names = [...inside, ...external];
  return [
    ...(names.length === 0 ? [] : [`Snapshots in the images that were replaced are gone: ${names.join(', ')}`]),
    ...apart.map(({ name, layers }) => {
      const bases = layers.map(({ base }) => quote(base)).join(', ');
      return `Snapshot ${name} can still be reverted to: it is in ${bases}, which the restored images do not rest on`;
    }),
  ];
}

function namesInside(image: string): string[] {
  try {
    return readImageSnapshots(image).map(({ name }) => name);
  } catch (error) {
    if (error instanceof QemuError) return [];
    throw error;
  }
}
