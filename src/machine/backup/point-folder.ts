import { lstatSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { messageOf } from '../../base/text.ts';
import { namesIn } from '../../system/files/files.ts';
import { trustPath } from '../../system/trust/trusted-path.ts';
import { ancestry, filesOfDisk, findPoint } from './chain.ts';
import type { LastPoint } from './decide.ts';
import { pointsOf } from './destination.ts';
import type { BackupDisk } from './manifest.ts';
import { isPointName, pointName } from './point-name.ts';

/**
 * A folder for backups, without links. One that does not exist is refused, since it may be where a disk is usually
 * mounted.
 *
 * @throws {QemuError} `QEMU_IO` when DEST is not a folder, `QEMU_NOT_PERMITTED` when other users could exchange what is
 * in it.
 */
export function trustDestination(dest: string): string {
  const { path, stats } = trustPath(resolve(dest));
  if (stats === undefined) {
    throw new QemuError('QEMU_IO', `"${dest}" does not exist`, {
      hint: 'create the folder, or mount the file system that it is on',
    });
  }
  if (!stats.isDirectory()) throw new QemuError('QEMU_IO', `"${dest}" is not a folder`);
  return path;
}

/**
 * A name for a new point that comes after all that are there, even if the clock was set back.
 *
 * @throws {QemuError} `QEMU_IO` when there is one of the very end of the year 9999, after which there are no names.
 */
export function newPointName(folder: string, now = Date.now()): string {
  const last = namesIn(folder).filter(isPointName).toSorted().at(-1) ?? '';
  const name = pointName(new Date(Math.max(now, timeOf(last) + 1000)));
  if (name > last) return name;
  throw new QemuError('QEMU_IO', `No new backup can come after "${join(folder, last)}"`, {
    hint: 'remove that folder',
  });
}

/** More than what clocks are set by, or backups in a row make of it. */
const AHEAD_MS = 60_000;

/** Whether the name of a new point is of the future, since the last one is: the clock was ahead then, or is behind now. */
export function isAhead(point: string, now = Date.now()): boolean {
  return timeOf(point) - now > AHEAD_MS;
}

function timeOf(point: string): number {
  const [, date = '', time = ''] = /^(\d{8})-(\d{6})$/.exec(point) ?? [];
  if (date === '') return 0;
  const [year, month, day] = [date.slice(0, 4), date.slice(4, 6), date.slice(6)];
  return Date.parse(`${year}-${month}-${day}T${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4)}Z`);
}

/**
 * The newest point of a machine, and whether another can rest on it: all of its chain has to be there, each image with
 * the length and the header that its manifest gives it. What is in them only a verification reads.
 */
export function lastPoint(dest: string, longName: string): LastPoint | undefined {
  if (!namesIn(join(dest, longName)).some(isPointName)) return undefined;
  const points = pointsOf(dest, longName);
  const last = points.at(-1);
  if (last === undefined) return undefined;
  const { point } = last;
  try {
    const readable = findPoint(points, point);
    const chain = ancestry(points, readable);
    for (const { key } of readable.manifest.disks) filesOfDisk(chain, key);
    for (const { folder, manifest } of chain) for (const disk of manifest.disks) requireLength(folder, disk);
    return { point, manifest: readable.manifest };
  } catch (error) {
    if (!(error instanceof QemuError) || !['QEMU_IO', 'QEMU_NOT_IMPLEMENTED'].includes(error.code)) throw error;
    return { point, problem: `cannot be continued: ${messageOf(error)}` };
  }
}

function requireLength(folder: string, { file, sizeBytes }: BackupDisk): void {
  const path = join(folder, file);
  const size = lstatSync(path, { throwIfNoEntry: false })?.size;
  if (size !== sizeBytes) throw new QemuError('QEMU_IO', `"${path}" has ${size} bytes instead of ${sizeBytes}`);
}
