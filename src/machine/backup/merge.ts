import { join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import { removeTemporariesOf } from '../../system/files/dead-temporaries.ts';
import { ensureDir } from '../../system/files/files.ts';
import { removeTree } from '../../system/files/remove-tree.ts';
import { withLock } from '../../system/lock/lock.ts';
import { trustPath } from '../../system/trust/trusted-path.ts';
import { demandUnchanged, type SourceFile } from '../restore/source-file.ts';
import { ancestry, filesOfDisk, findPoint, type ReadablePoint } from './chain.ts';
import { type BackupPoint, pointsOf } from './destination.ts';
import { finishMerge } from './finish-merge.ts';
import type { BackupDisk } from './manifest.ts';
import { readMergeMark, writeMergeMark } from './merge-mark.ts';
import { removeIfEmpty } from './part-folder.ts';

/** A point that is gone. */
export interface RemovedPoint {
  readonly point: string;
  /** The point that had rested on it; undefined: none had. */
  readonly mergedInto: string | undefined;
}

/** For other commands on the same backups. */
const LOCK_MS = 1_000;

/**
 * Does something while no other command changes the backups of a machine in a destination.
 *
 * @param purpose one word, for those who find them locked.
 * @throws {QemuError} `QEMU_LOCKED` when another command does; `QEMU_NOT_PERMITTED` when other users may write there.
 */
export async function withBackups<T>(
  dest: string,
  longName: string,
  { purpose, signal }: { readonly purpose: string; readonly signal?: AbortSignal | undefined },
  body: () => Promise<T>,
): Promise<T> {
  const folder = join(dest, longName);
  trustPath(folder);
  ensureDir(folder, 0o700);
  let isLocked = false;
  try {
    return await withLock(join(folder, '.lock'), { timeoutMs: LOCK_MS, purpose, signal }, () => {
      isLocked = true;
      removeTemporariesOf(folder);
      return body();
    });
  } catch (error) {
    if (isLocked || !(error instanceof QemuError) || error.code !== 'QEMU_LOCKED') throw error;
    throw new QemuError('QEMU_LOCKED', `The backups of machine "${longName}" in "${dest}" are in use`, {
      cause: error,
      hint: 'another command works on them: try again when it has ended',
    });
  } finally {
    removeIfEmpty(folder);
  }
}

/**
 * Removes a point. One that another point rests on is merged into that first: all others stay complete at every moment,
 * also when this is interrupted, after which {@link settleMerge} goes on. The cost is the size of the point that
 * rests on it, and reading both twice for their checksums.
 *
 * Within {@link withBackups}.
 *
 * @throws {QemuError} `QEMU_MACHINE_UNKNOWN` when there is no such point, `QEMU_IO` when several rest on it, or it is damaged,
 * `QEMU_COMMAND_FAILED` when qemu-img fails, such as for lack of room, `QEMU_ABORTED`: the point stays until the next
 * call then.
 */
export async function removePoint(
  dest: string,
  longName: string,
  point: string,
  options: LongWorkOptions = {},
): Promise<RemovedPoint> {
  const folder = join(dest, longName);
  const mark = readMergeMark(folder);
  if (mark?.from === point) {
    await finishMerge(dest, longName, mark, options);
    return { point, mergedInto: mark.into };
  }
  await settleMerge(dest, longName, options);
  const points = pointsOf(dest, longName);
  if (!points.some((each) => each.point === point)) {
    throw new QemuError('QEMU_MACHINE_UNKNOWN', `Machine "${longName}" has no backup "${point}" in "${dest}"`);
  }
  const [next, ...more] = points.filter(({ manifest }) => manifest?.parent === point);
  if (next === undefined) {
    removeTree(join(folder, point));
    return { point, mergedInto: undefined };
  }
  if (more.length > 0) throw forked(longName, point, [next, ...more]);
  demandReadable(points, point);
  const into = findPoint(points, next.point);
  const chain = ancestry(points, into);
  // Whatever is wrong with the images is found before the point is given up.
  for (const { key } of into.manifest.disks) filesOfDisk(chain, key);
  await demandMergeable(chain, options);
  writeMergeMark(folder, { from: point, into: next.point });
  await finishMerge(dest, longName, { from: point, into: next.point }, options);
  return { point, mergedInto: next.point };
}

/**
 * Removes the oldest points until `keep` are left.
 *
 * Within {@link withBackups}.
 *
 * @throws {QemuError} as {@link removePoint}.
 */
export async function keepNewest(
  dest: string,
  longName: string,
  keep: number,
  options: LongWorkOptions = {},
): Promise<readonly RemovedPoint[]> {
  await settleMerge(dest, longName, options);
  const points = pointsOf(dest, longName);
  const removed: RemovedPoint[] = [];
  for (const { point } of points.slice(0, Math.max(0, points.length - keep))) {
    removed.push(await removePoint(dest, longName, point, options));
  }
  return removed;
}

/**
 * Goes on with a merge that was interrupted. Without one it costs one look at a file.
 *
 * Within {@link withBackups}.
 *
 * @throws {QemuError} as {@link removePoint}.
 */
export async function settleMerge(dest: string, longName: string, options: LongWorkOptions = {}): Promise<void> {
  const mark = readMergeMark(join(dest, longName));
  if (mark !== undefined) await finishMerge(dest, longName, mark, options);
}

/** What has changed in one of the two would get a checksum as if it were right. */
async function demandMergeable(
  [into, from]: readonly ReadablePoint[],
  { signal, onProgress }: LongWorkOptions,
): Promise<void> {
  const files = (into?.manifest.disks ?? []).flatMap((disk) => {
    const base = from?.manifest.disks.find(({ file }) => file === disk.backing?.split('/').at(-1));
    if (!into || !from || !base) return [];
    return [sourceFile(into, disk), sourceFile(from, base)];
  });
  const total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const onPercent = (percent: number): void =>
    onProgress?.({ phase: `verifying ${from?.point}`, done: Math.round((total * percent) / 100), total });
  await demandUnchanged(files, { signal, onPercent });
}

function sourceFile({ folder }: ReadablePoint, { file, sizeBytes, sha256 }: BackupDisk): SourceFile {
  return { path: join(folder, file), sizeBytes, sha256 };
}

function demandReadable(points: readonly BackupPoint[], point: string): void {
  const error = points.find((each) => each.point === point)?.error;
  if (error === undefined) return;
  throw new QemuError('QEMU_IO', `Backup ${points[0]?.name}@${point} is damaged and cannot be merged into the next`, {
    cause: error,
    hint: 'those that rest on it are of no use either: delete them first, the newest first',
  });
}

function forked(longName: string, point: string, next: readonly BackupPoint[]): QemuError {
  const names = next.map((each) => each.point).join(', ');
  return new QemuError('QEMU_IO', `Several backups rest on ${longName}@${point}: ${names}`, {
    hint: 'delete all of them but one first',
  });
}
