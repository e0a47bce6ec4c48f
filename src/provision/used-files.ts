import { realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { longNameOf } from '../config/machine-config.ts';
import type { MachineConfig } from '../config/types.ts';
import type { MachineManager } from '../fleet/machine-manager.ts';
import { writtenPaths } from '../machine/check/used-paths.ts';
import type { MachineRef } from '../machine/context.ts';
import { diskChain } from '../machine/storage/disk-chain.ts';
import { readImageMemory } from '../machine/storage/image-memory.ts';
import { namesIn } from '../system/files/files.ts';

/**
 * Which machines use each of some files: as a disk, as what a disk rests on, as a disc or in another way. All machines
 * count of which there is a file in the usual folder, registered or not, and those that run.
 *
 * @returns long names by file.
 */
export function usersOf(fleet: MachineManager, files: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, string[]>();
  if (files.length === 0) return users;
  const byReal = new Map(files.map((file) => [realOf(file), file]));
  for (const target of allMachines(fleet)) {
    const used = new Set(filesOf(fleet, target).map(realOf));
    for (const [real, file] of byReal) {
      if (used.has(real)) users.set(file, [...(users.get(file) ?? []), target.longName]);
    }
  }
  return users;
}

/** Machines of the registry, those that run, and those with a file in the usual folder. */
function allMachines(fleet: MachineManager): MachineRef[] {
  const known = fleet.listWithRunning();
  const names = new Set(known.map(({ longName }) => longName));
  const { etcDir } = fleet.host.paths;
  const others = namesIn(etcDir).filter((name) => name.endsWith('-qemu.cfg') && !isTemplate(name));
  const found = others.flatMap((name) => {
    const longName = longNameOf(name);
    if (names.has(longName)) return [];
    try {
      return [fleet.get(join(etcDir, name))];
    } catch {
      // Its name cannot be a machine's.
      return [];
    }
  });
  return [...known, ...found];
}

function isTemplate(name: string): boolean {
  return ['template-qemu.cfg', 'defaults-qemu.cfg'].includes(basename(name));
}

/** Every file of a machine; of one whose file is broken what can be read, and what it used at its last start. */
function filesOf(fleet: MachineManager, target: MachineRef): string[] {
  const { paths } = fleet.host;
  const { draft } = fleet.inspect(target);
  const { disks, bases } = readImageMemory(paths, target.longName);
  const remembered = [...disks.flatMap(({ file, leads = [] }) => [file, ...leads]), ...bases.map(({ file }) => file)];
  // What it rested on once may have been replaced since, so that only a broken file makes it count.
  return draft === undefined ? remembered : namedFiles(fleet, draft);
}

function namedFiles(fleet: MachineManager, config: MachineConfig): string[] {
  const chains = config.disks.flatMap((disk) => {
    try {
      const { layers } = diskChain(fleet.host.paths, config.longName, disk);
      return layers.filter(({ isRemote }) => !isRemote).map(({ file }) => file);
    } catch {
      return [];
    }
  });
  const others = [...config.disks, ...config.cdroms].flatMap(({ file }) => (file === undefined ? [] : [file]));
  const boot = [config.kernel, config.initrd, config.firmwareVariables, config.cloudInit];
  return [
    ...others,
    ...chains,
    ...boot.flatMap((file) => (file === undefined ? [] : [file])),
    ...writtenPaths({ config }),
  ];
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
