import { dirname, join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { isValidName } from '../../config/text/names.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import { namesIn, statsOf } from '../../system/files/files.ts';
import type { BackupManifest } from './manifest.ts';
import { type MergeMark, readMergeMark } from './merge-mark.ts';
import { isPointName } from './point-name.ts';
import { readManifest } from './read-manifest.ts';

/** One point of a machine's backups. */
export interface BackupPoint {
  /** Long name of the machine. */
  readonly name: string;
  readonly point: string;
  readonly folder: string;
  /** Undefined for a damaged one. */
  readonly manifest: BackupManifest | undefined;
  /** Why it cannot be used. */
  readonly error: QemuError | undefined;
}

/** What is in a folder of backups. */
export interface Destination {
  /** By machine, the oldest first. */
  readonly points: readonly BackupPoint[];
  /** Paths of what is not a backup. */
  readonly foreign: readonly string[];
}

/**
 * What is in a folder of backups. Nothing that is in it makes this fail.
 *
 * @throws {QemuError} `QEMU_IO` when it is not there, `QEMU_NOT_PERMITTED`.
 */
export function readDestination(dest: string): Destination {
  demandFolder(dest);
  const machines = namesIn(dest)
    .filter((name) => !name.startsWith('.'))
    .toSorted();
  const found = machines.map((name) => {
    const path = join(dest, name);
    return isValidName(name) && isFolder(path) ? readMachine(path, name) : { points: [], foreign: [path] };
  });
  return { points: found.flatMap(({ points }) => points), foreign: found.flatMap(({ foreign }) => foreign) };
}

/**
 * The points of a machine, the oldest first.
 *
 * @throws {QemuError} `QEMU_MACHINE_UNKNOWN` when it has none there; as {@link readDestination}.
 */
export function pointsOf(dest: string, longName: string): readonly BackupPoint[] {
  return demandPoints(dest, longName, readMachine);
}

/** The same with the point that is being merged, for those who go on with that. */
export function pointsWithMerging(dest: string, longName: string): readonly BackupPoint[] {
  return demandPoints(dest, longName, readFolders);
}

function demandPoints(dest: string, longName: string, read: typeof readFolders): readonly BackupPoint[] {
  demandFolder(dest);
  const folder = join(dest, longName);
  const points = isValidName(longName) && isFolder(folder) ? read(folder, longName).points : [];
  if (points.length > 0) return points;
  throw new QemuError('QEMU_MACHINE_UNKNOWN', `"${dest}" has no backup of machine "${longName}"`, {
    hint: `see: ${shellCommand('qemu-init', 'backup', 'list', dest)}`,
  });
}

function readMachine(folder: string, name: string): Destination {
  const { points, foreign } = readFolders(folder, name);
  try {
    const mark = readMergeMark(folder);
    return { points: points.map((each) => (each.point === mark?.from ? merging(each, mark) : each)), foreign };
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    return { points, foreign: [...foreign, folder] };
  }
}

/** What is left of a point that is no longer one. */
function merging({ name, point, folder }: BackupPoint, { into }: MergeMark): BackupPoint {
  const goOn = shellCommand('qemu-init', 'backup', 'delete', dirname(dirname(folder)), `${name}@${point}`);
  const error = new QemuError('QEMU_IO', `Backup ${name}@${point} is being merged into ${into}`, {
    hint: `if that was interrupted, go on with it: ${goOn}`,
  });
  return { name, point, folder, manifest: undefined, error };
}

function readFolders(folder: string, name: string): Destination {
  const all = ifReadable(() => namesIn(folder));
  if (all === undefined) return { points: [], foreign: [folder] };
  const names = all.filter((each) => !each.startsWith('.')).toSorted();
  const points = names.filter((each) => isPointName(each) && isFolder(join(folder, each)));
  const foreign = names.filter((each) => !points.includes(each)).map((each) => join(folder, each));
  return {
    points: points.map((point) => readPoint(join(folder, point), name, point)),
    foreign,
  };
}

function readPoint(folder: string, name: string, point: string): BackupPoint {
  try {
    const manifest = readManifest(folder);
    if (manifest.name === name) return { name, point, folder, manifest, error: undefined };
    const error = new QemuError('QEMU_IO', `"${folder}" is a backup of another machine, "${manifest.name}"`);
    return { name, point, folder, manifest: undefined, error };
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    return { name, point, folder, manifest: undefined, error };
  }
}

function demandFolder(path: string): void {
  const stats = statsOf(path);
  if (stats?.isDirectory() || stats?.isSymbolicLink()) return;
  throw new QemuError('QEMU_IO', `There is no folder "${path}"`, {
    hint: stats === undefined ? 'is the disk for backups mounted?' : undefined,
  });
}

/** A folder itself, not a link to one. */
function isFolder(path: string): boolean {
  return statsOf(path)?.isDirectory() === true;
}

function ifReadable(read: () => string[]): string[] | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof QemuError) return undefined;
    throw error;
  }
}
