import { basename, dirname, extname, join } from 'node:path';
import type { SnapshotDisk } from '../snapshot-disks.ts';
import type { SnapshotLayer, SnapshotNote } from '../snapshot-notes.ts';

/** A file's name has at most 255 bytes, of which a hidden sibling takes some more. */
const MOST_NAME_BYTES = 220;

/**
 * Paths of the overlays of a snapshot, next to what they rest on: `web.qcow2` gets `web.NAME.qcow2`, and so does
 * `web.before.qcow2` when `before` is a snapshot. Pure but for `isThere`.
 */
export function planLayers(
  disks: readonly Pick<SnapshotDisk, 'key' | 'file' | 'format'>[],
  name: string,
  notes: readonly SnapshotNote[],
  isThere: (path: string) => boolean,
): SnapshotLayer[] {
  return disks.map(({ key, file, format }) => {
    const stem = stemOf(file, key, notes);
    const room = MOST_NAME_BYTES - Buffer.byteLength(`.${name}.99.qcow2`);
    const short = Buffer.from(stem)
      .subarray(0, room)
      .toString()
      .replace(/\uFFFD$/, '');
    for (let number = 1; ; number += 1) {
      const overlay = join(dirname(file), `${short}.${name}${number === 1 ? '' : `.${number}`}.qcow2`);
      if (!isThere(overlay)) return { key, base: file, format, overlay };
    }
  });
}

/** Without the name of the snapshot that the file is an overlay of. */
function stemOf(file: string, key: string, notes: readonly SnapshotNote[]): string {
  const stem = basename(file, extname(file));
  const owner = notes.find(({ layers }) => layers.some((layer) => layer.key === key && layer.overlay === file));
  if (owner === undefined) return stem;
  const end = new RegExp(`\\.${owner.name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}(\\.\\d+)?$`);
  return stem.replace(end, '') || stem;
}
