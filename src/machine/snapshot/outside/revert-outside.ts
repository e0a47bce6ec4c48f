import { existsSync, statSync } from 'node:fs';
import { QemuError } from '../../../base/errors.ts';
import type { MachineConfig } from '../../../config/types.ts';
import { readImageInfo } from '../../../system/images/image.ts';
import type { MachineContext, MachineRef } from '../../context.ts';
import { chosenDisk } from '../../disks/chosen-disk.ts';
import type { Work } from '../../work/do-work.ts';
import { noteSnapshot, type SnapshotNote } from '../snapshot-notes.ts';
import { type Base, layOver, refuseShared } from './lay-over.ts';

/**
 * Lets the disks of a machine that does not run go on from the layers of a snapshot, in new overlays. What they were is
 * kept in the overlays so far.
 *
 * @returns the files that nothing rests on now.
 * @throws {QemuError} `QEMU_COMMAND_FAILED` when a layer is gone.
 */
export async function revertOutside(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  note: SnapshotNote,
  work: Work,
): Promise<readonly string[]> {
  const bases = note.layers.map(({ key, base, format }): Base => {
    if (!existsSync(base)) {
      throw new QemuError('QEMU_COMMAND_FAILED', `"${base}" of snapshot "${note.name}" is gone`);
    }
    return { key, file: base, format, sizeBytes: sizeOf(base, format) };
  });
  const abandoned = bases.map(({ key }) => chosenDisk(config, key).file);
  const disks = config.disks.map((disk) => {
    const base = bases.find(({ key }) => key === `DSK${disk.index}`);
    return base ? { ...disk, file: base.file, format: base.format } : disk;
  });
  refuseShared(host, { ...config, disks });
  work.note({ data: { ...work.record.data, abandoned } });
  const where = { host, target, config, work, name: note.name, signal: undefined };
  const { layers } = await layOver(
    where,
    bases,
    (body) => body(),
    async () => {},
  );
  noteSnapshot(target.files, { ...note, layers, abandoned: [...(note.abandoned ?? []), ...abandoned] });
  return abandoned;
}

/** QEMU rounds the size of a raw image up to whole sectors. */
function sizeOf(file: string, format: string): number {
  const size = format === 'raw' ? statSync(file).size : (readImageInfo(file).virtualSizeBytes ?? 0);
  return Math.ceil(size / 512) * 512;
}
