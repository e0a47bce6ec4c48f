import { lstatSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachineManager } from '../../fleet/machine-manager.ts';
import type { MachineRef } from '../../machine/context.ts';
import { savedFolder } from '../../machine/state/saved-folder.ts';
import { diskChain } from '../../machine/storage/disk-chain.ts';
import { readImageMemory } from '../../machine/storage/image-memory.ts';
import { placeWithoutLinks } from '../../system/files/held-folder.ts';
import { seedName } from '../create.ts';
import { usersOf } from '../used-files.ts';

/** A file or folder of a machine, and what a deletion does to it. */
export interface DeletedFile {
  readonly path: string;
  readonly kind: 'cfg' | 'disk' | 'base' | 'firmware' | 'seed' | 'saved' | 'state' | 'log';
  /** Why it stays, as a clause; undefined: it goes. */
  readonly kept?: string | undefined;
}

/**
 * Everything that belongs to a machine, and what a deletion leaves: what another machine uses, what was only shown to
 * the guest, and what is not a file. Changes nothing.
 */
export function planDeletion(
  fleet: MachineManager,
  target: MachineRef,
  { keepDisks = false }: { readonly keepDisks?: boolean | undefined } = {},
): DeletedFile[] {
  const { draft } = fleet.inspect(target);
  const { log, consoleLog, stateDir } = target.files;
  const logs = [log, consoleLog].flatMap((path) => [path, `${path}.1`]);
  const candidates: DeletedFile[] = [
    ...(draft === undefined ? [] : diskFiles(fleet, target, draft)),
    ...(draft === undefined ? [] : otherFiles(target, draft)),
    // It is in the folder below; whoever loses the memory of a guest is to be told.
    ...(['saved', 'loading'] as const).map(
      (stage): DeletedFile => ({ path: savedFolder(target.files, stage), kind: 'saved' }),
    ),
    { path: stateDir, kind: 'state' },
    ...logs.map((path): DeletedFile => ({ path, kind: 'log' })),
    { path: target.configPath, kind: 'cfg' },
  ];
  const present = unique(candidates).filter(({ path }) => lstat(path) !== undefined);
  const users = usersOf(
    fleet,
    present.map(({ path }) => path),
  );
  return present.map((file) => {
    const others = (users.get(file.path) ?? []).filter((name) => name !== target.longName);
    const kept = file.kept ?? reasonToKeep(file, others, keepDisks);
    return { ...file, kept };
  });
}

/** A base that `clone --linked` has made. */
const CLONE_BASE = /-base-[0-9a-f]{8}\.qcow2$/;

function diskFiles(fleet: MachineManager, { longName }: MachineRef, config: MachineConfig): DeletedFile[] {
  const { paths } = fleet.host;
  // What was the machine's disk at an earlier start, before a snapshot was put above it.
  const former = new Set(readImageMemory(paths, longName).disks.map(({ file }) => file));
  return config.disks.flatMap((disk): DeletedFile[] => {
    if (disk.readonly || disk.snapshot) {
      return [{ path: disk.file, kind: 'disk', kept: 'the guest could not write to it' }];
    }
    const below = layersBelow(fleet, longName, disk).map((path): DeletedFile => {
      const isOwn = former.has(path) || (CLONE_BASE.test(path) && dirname(path) === dirname(disk.file));
      return { path, kind: 'base', kept: isOwn ? undefined : 'it is a base image' };
    });
    return [{ path: disk.file, kind: 'disk' }, ...below];
  });
}

function layersBelow(fleet: MachineManager, longName: string, disk: MachineConfig['disks'][number]): string[] {
  try {
    const { layers } = diskChain(fleet.host.paths, longName, disk);
    return layers.flatMap(({ depth, role, isRemote, file }) =>
      isRemote || (depth === 0 && role === 'image') ? [] : [file],
    );
  } catch {
    // It is missing, or damaged.
    return [];
  }
}

function otherFiles(
  { longName, configPath }: MachineRef,
  { cloudInit, firmwareVariables }: MachineConfig,
): DeletedFile[] {
  const isOurs =
    cloudInit !== undefined && basename(cloudInit) === seedName(longName) && dirname(cloudInit) === dirname(configPath);
  return [
    ...(cloudInit === undefined
      ? []
      : [{ path: cloudInit, kind: 'seed', kept: isOurs ? undefined : 'create has not made it' } as const]),
    ...(firmwareVariables === undefined ? [] : [{ path: firmwareVariables, kind: 'firmware' } as const]),
  ];
}

function reasonToKeep({ path, kind }: DeletedFile, others: readonly string[], keepDisks: boolean): string | undefined {
  if (others.length > 0) return `machine ${others.map((name) => `"${name}"`).join(', ')} uses it`;
  const isDisk = kind === 'disk' || kind === 'base' || kind === 'firmware';
  if (isDisk && keepDisks) return 'disks are to be kept';
  const stats = lstat(path);
  if (stats?.isSymbolicLink()) return 'it is a link';
  if (isLedTo(path)) return 'a link of another user leads to it';
  if (isDisk && stats?.isFile() !== true) return 'it is not a file';
  return undefined;
}

function isLedTo(path: string): boolean {
  try {
    placeWithoutLinks(path);
    return false;
  } catch (error) {
    if (error instanceof QemuError && error.code === 'QEMU_NOT_PERMITTED') return true;
    throw error;
  }
}

function unique(files: readonly DeletedFile[]): DeletedFile[] {
  return files.filter(({ path }, at) => files.findIndex((file) => file.path === path) === at);
}

function lstat(path: string): ReturnType<typeof lstatSync> | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    // A folder above is closed, or is none.
    return undefined;
  }
}
