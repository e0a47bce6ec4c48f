import { dirname } from 'node:path';
import type { MachineConfig } from '../../config/types.ts';
import type { RestoreSource } from './restored.ts';

/** What the user has to know of a restore, as sentences. Pure. */
export function notesOn(
  { point, disks }: RestoreSource,
  config: MachineConfig,
  places: ReadonlyMap<string, string>,
): string[] {
  const { name, manifest } = point;
  const inCfg = new Set(config.disks.map(({ index }) => `DSK${index}`));
  const saved = new Set(manifest.disks.map(({ key }) => key));
  const plugged = disks.filter(({ disk }) => !inCfg.has(disk.key));
  const unsaved = config.disks.filter(({ index }) => !saved.has(`DSK${index}`));
  const encrypted = config.disks.filter(({ key, index }) => key !== undefined && saved.has(`DSK${index}`));
  const moved = disks.filter(({ disk }) => {
    const path = places.get(disk.key);
    return path !== undefined && dirname(path) !== dirname(disk.sourcePath);
  });
  return [
    ...plugged.map(
      ({ disk }) =>
        `${disk.key} was plugged in and is not in the cfg file, so it was left out; its image: ` +
        `qemu-init restore DEST ${name}@${point.point} --disk ${disk.key} --output DIR`,
    ),
    ...unsaved.map(({ index, file }) => `DSK${index} "${file}" is not in the backup`),
    ...encrypted.map(({ index }) => `DSK${index} was encrypted; the restored image is not, and key= is removed`),
    ...moved.map(({ disk }) => `${disk.key} was "${disk.sourcePath}" and is "${places.get(disk.key)}" now`),
  ];
}
