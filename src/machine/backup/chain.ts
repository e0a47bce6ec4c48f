import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { ChainFile } from '../../system/images/chain-as-json.ts';
import { readImageInfo } from '../../system/images/image.ts';
import type { BackupPoint } from './destination.ts';
import type { BackupDisk, BackupManifest } from './manifest.ts';

/** A point whose manifest could be read. */
export interface ReadablePoint extends BackupPoint {
  readonly manifest: BackupManifest;
}

/**
 * The point of that name.
 *
 * @param point undefined: the newest.
 * @throws {QemuError} `QEMU_MACHINE_UNKNOWN` when there is none; what is wrong with it.
 */
export function findPoint(points: readonly BackupPoint[], point: string | undefined): ReadablePoint {
  const found = point === undefined ? points.at(-1) : points.find((each) => each.point === point);
  if (found) return readable(found);
  throw new QemuError('QEMU_MACHINE_UNKNOWN', `Machine "${points[0]?.name}" has no backup "${point}"`, {
    hint: `it has: ${points.map((each) => each.point).join(', ')}`,
  });
}

/**
 * A point and those that it rests on, itself first.
 *
 * @throws {QemuError} `QEMU_IO` when one of them is missing or damaged.
 */
export function ancestry(points: readonly BackupPoint[], from: ReadablePoint): readonly ReadablePoint[] {
  const chain: ReadablePoint[] = [from];
  for (let at = from; at.manifest.parent !== undefined; chain.push(at)) {
    const { parent } = at.manifest;
    const next = points.find(({ point }) => point === parent);
    if (!next) throw broken(from, `it rests on ${parent}, which is not there`);
    if (chain.some(({ point }) => point === parent)) throw broken(from, 'it rests on itself');
    at = readable(next, from);
  }
  return chain;
}

/** The points that rest on a point, directly or not, the oldest first. */
export function dependentsOf(points: readonly BackupPoint[], point: string): readonly BackupPoint[] {
  const found = new Set([point]);
  // A set that grows is looked at to its end: a clock that was set back may have made a point older than its parent.
  for (const parent of found) {
    for (const each of points) if (each.manifest?.parent === parent) found.add(each.point);
  }
  return points.filter((each) => each.point !== point && found.has(each.point));
}

/**
 * The files of one disk of a point, the top one first: those that the manifests name, and whose headers name each other
 * in the same way. A header that a guest or another user has changed leads nowhere else.
 *
 * @throws {QemuError} `QEMU_IO` when one of them is missing or does not fit.
 */
export function filesOfDisk(chain: readonly ReadablePoint[], key: string): readonly string[] {
  const files: string[] = [];
  let wanted: string | undefined;
  for (const point of chain) {
    const disk: BackupDisk | undefined = point.manifest.disks.find((each) =>
      wanted === undefined ? each.key === key : each.file === wanted,
    );
    if (!disk) throw broken(point, `it has no ${wanted === undefined ? key : `file "${wanted}"`}`);
    files.push(fileOfDisk(point, disk));
    wanted = disk.backing?.split('/').at(-1);
    if (wanted === undefined) return files;
  }
  throw broken(chain.at(-1), 'its chain has no end');
}

/**
 * The image of a disk in the folder of its point.
 *
 * @throws {QemuError} `QEMU_IO` when it is missing, or its header is not as the manifest has it.
 */
export function fileOfDisk(point: BackupPoint, disk: BackupDisk): string {
  const path = join(point.folder, disk.file);
  const fail = (what: string): never => {
    throw broken(point, `"${path}" ${what}`);
  };
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true) fail('is not a file');
  const { format, backingFile, backingFormat, dataFile, encryption, obstacle } = readImageInfo(path);
  if (format !== 'qcow2') fail(`is ${format}, not qcow2`);
  if (obstacle !== undefined) fail(obstacle);
  if (dataFile !== undefined) fail('has its data in another file');
  if (encryption !== undefined) fail('is encrypted');
  if (backingFile !== disk.backing) fail(`rests on ${named(backingFile)}, but the manifest has ${named(disk.backing)}`);
  if (disk.backing !== undefined && backingFormat !== 'qcow2') fail('does not have the format of its backing file');
  return path;
}

/** The files of a backup for {@link chainAsJson}: all of them are qcow2. */
export function asQcow2(paths: readonly string[]): ChainFile[] {
  return paths.map((path) => ({ path, format: 'qcow2' }));
}

function named(file: string | undefined): string {
  return file === undefined ? 'nothing' : `"${file.replaceAll(/\p{C}/gu, '?').slice(0, 200)}"`;
}

function readable(point: BackupPoint, asked: BackupPoint = point): ReadablePoint {
  const { manifest, error } = point;
  if (manifest) return { ...point, manifest };
  if (asked === point && error) throw error;
  throw broken(asked, `it rests on ${point.point}, which is damaged`, error);
}

function broken(point: BackupPoint | undefined, why: string, cause?: unknown): QemuError {
  return new QemuError('QEMU_IO', `Backup ${point?.name}@${point?.point} cannot be used: ${why}`, { cause });
}
