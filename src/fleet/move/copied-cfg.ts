import { statfsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { DiskConfig } from '../../config/device-config.ts';
import { renderDisk } from '../../config/disk.ts';
import { setKey } from '../../config/text/edit-text.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { CopiedDisk } from '../../machine/move/copied-disks.ts';
import type { ArrivingDisk } from '../../machine/move/receive-disks.ts';
import { isThere } from '../../system/files/files.ts';

/** Where the new images of a machine are: next to its file. Pure. */
export function arrivingDisks(
  { configPath, longName }: { readonly configPath: string; readonly longName: string },
  disks: readonly CopiedDisk[],
): ArrivingDisk[] {
  return disks.map((disk, at) => {
    const ending = disk.format === 'raw' ? 'img' : 'qcow2';
    const name = at === 0 ? `${longName}.${ending}` : `${longName}-${at + 1}.${ending}`;
    return { ...disk, file: join(dirname(configPath), name) };
  });
}

/** A machine on its new images. Pure. */
export function withNewDisks(config: MachineConfig, disks: readonly ArrivingDisk[]): MachineConfig {
  return { ...config, disks: config.disks.map((disk) => newDisk(disk, disks) ?? disk) };
}

/** The text of its file with them. Pure. */
export function textWithNewDisks(text: string, config: MachineConfig, disks: readonly ArrivingDisk[]): string {
  return config.disks.reduce((changed, disk) => {
    const now = newDisk(disk, disks);
    if (now === undefined) return changed;
    return setKey(changed, `DSK${disk.index}`, renderDisk({ ...now, file: relative(config.dir, now.file) }));
  }, text);
}

function newDisk(disk: DiskConfig, disks: readonly ArrivingDisk[]): DiskConfig | undefined {
  const found = disks.find(({ key }) => key === `DSK${disk.index}`);
  return found && { ...disk, file: found.file, format: found.format, key: undefined, backing: [] };
}

/** What is in the way of new images. */
export function roomProblems(disks: readonly ArrivingDisk[]): string[] {
  const taken = disks.filter(({ file }) => isThere(file)).map(({ file }) => `"${file}" exists already`);
  const [first] = disks;
  if (first === undefined) return taken;
  const folder = existing(dirname(first.file));
  const { bavail, bsize } = statfsSync(folder);
  const needed = disks.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
  if (needed <= bavail * bsize) return taken;
  const mib = (bytes: number): string => `${Math.ceil(bytes / 1024 ** 2)} MiB`;
  return [...taken, `the disks need up to ${mib(needed)}, but "${folder}" has ${mib(bavail * bsize)} free`];
}

function existing(folder: string): string {
  return isThere(folder) || folder === '/' ? folder : existing(dirname(folder));
}
