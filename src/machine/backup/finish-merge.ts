import { chmodSync, chownSync, renameSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { LongWorkOptions, OnProgress } from '../../base/progress.ts';
import { removeTemporariesOf } from '../../system/files/dead-temporaries.ts';
import { fileError } from '../../system/files/file-error.ts';
import { isThere } from '../../system/files/files.ts';
import { hashFile } from '../../system/files/hash-file.ts';
import { removeTree } from '../../system/files/remove-tree.ts';
import { syncPath } from '../../system/files/sync.ts';
import { writeFileAtomic } from '../../system/files/write-file.ts';
import { chainAsJson } from '../../system/images/chain-as-json.ts';
import { isImageUser, lendFile, newImageUser, readerPrefix } from '../../system/images/image-user.ts';
import { runQemuImg } from '../../system/images/qemu-img.ts';
import { ancestry, asQcow2, filesOfDisk, findPoint, type ReadablePoint } from './chain.ts';
import { pointsWithMerging } from './destination.ts';
import { type BackupDisk, type BackupManifest, MANIFEST_NAME, renderManifest } from './manifest.ts';
import { type MergeMark, removeMergeMark } from './merge-mark.ts';

/** Weeks: a large merge on a slow disk takes hours. */
const LONGEST_MS = 14 * 24 * 3600 * 1000;

/**
 * Does what is left to be done of a merge, in steps each of which may be interrupted and done again:
 *
 * 1. For each disk what `into` has is written into the image of `from` (qemu-img commit). Meanwhile `into` reads the
 *    same: its own data comes first. Then that image gets the place of the one of `into`; it rests on what `from` rested
 *    on. Whether a disk is done shows in that `from` does not have its image any more.
 * 2. The manifest of `into` is replaced.
 * 3. What is left of `from` is removed, then the mark.
 *
 * @throws {QemuError} as `removePoint`.
 */
export async function finishMerge(
  dest: string,
  longName: string,
  mark: MergeMark,
  options: LongWorkOptions,
): Promise<void> {
  const folder = join(dest, longName);
  const points = pointsWithMerging(dest, longName);
  const into = findPoint(points, mark.into);
  if (into.manifest.parent === mark.from) {
    const from = findPoint(points, mark.from);
    const rests = into.manifest.disks.filter(({ backing }) => backing !== undefined);
    for (const disk of rests) await mergeDisk(ancestry(points, into), disk, options);
    const manifest = await mergedManifest(into, from, options);
    writeFileAtomic(join(into.folder, MANIFEST_NAME), renderManifest(manifest), undefined, { durable: true });
  }
  removeTemporariesOf(into.folder);
  removeTree(join(folder, mark.from));
  removeMergeMark(folder);
}

async function mergeDisk(
  chain: readonly ReadablePoint[],
  disk: BackupDisk,
  { signal, onProgress }: LongWorkOptions,
): Promise<void> {
  const [into] = chain;
  if (into === undefined || disk.backing === undefined) return;
  const top = join(into.folder, disk.file);
  const base = join(into.folder, disk.backing);
  if (!isThere(base)) return;
  const files = filesOfDisk(chain, disk.key);
  const owner = ownerOf(top);
  await commit(files, owner, { signal, onPercent: percentOf(onProgress, `merging ${disk.key}`, owner.size) });
  try {
    giveBack(base, owner);
    syncPath(base);
    renameSync(base, top);
    syncPath(dirname(top));
    syncPath(dirname(base));
  } catch (error) {
    throw fileError('write', top, error);
  }
}

/** Runs qemu-img as a user that can write to these two images and nothing else: a guest has written what they contain. */
async function commit(
  files: readonly string[],
  owner: Stats,
  { signal, onPercent }: { readonly signal: AbortSignal | undefined; readonly onPercent: (percent: number) => void },
): Promise<void> {
  const [top = '', base = ''] = files;
  const user = newImageUser();
  const isLent = user !== undefined && lendFile(base, user) && lendFile(top, user);
  try {
    // -d: do not empty the top image, which is still read until the other one has its place.
    const call = ['commit', '-p', '-d', chainAsJson(asQcow2(files))];
    const prefix = isLent ? readerPrefix(user) : [];
    const { exitCode, stderr } = await runQemuImg(call, { prefix, timeoutMs: LONGEST_MS, signal, onPercent });
    if (exitCode === 0) return;
    const [reason = 'qemu-img failed'] = stderr.trim().split('\n').slice(-1);
    throw new QemuError('QEMU_COMMAND_FAILED', `Cannot merge "${top}" into "${base}": ${reason}`, {
      hint: 'all later backups are complete as before; delete the same one again to go on',
    });
  } finally {
    if (user !== undefined) giveBack(top, owner);
  }
}

/** Who is to own it and how; one that a killed merge had lent becomes like its folder. */
function ownerOf(file: string): Stats {
  const stats = statSync(file);
  const { uid, gid } = isImageUser(stats.uid) ? statSync(dirname(file)) : stats;
  return Object.assign(stats, { uid, gid });
}

function giveBack(file: string, { uid, gid, mode }: Stats): void {
  const now = statSync(file);
  if (now.uid !== uid || now.gid !== gid) chownSync(file, uid, gid);
  if (now.mode !== mode) chmodSync(file, mode & 0o7777);
}

async function mergedManifest(
  into: ReadablePoint,
  from: ReadablePoint,
  { signal, onProgress }: LongWorkOptions,
): Promise<BackupManifest> {
  const { reason: _, ...rest } = into.manifest;
  const { kind, parent, reason } = from.manifest;
  const total = rest.disks.reduce((sum, disk) => {
    return disk.backing === undefined ? sum : sum + statSync(join(into.folder, disk.file)).size;
  }, 0);
  let done = 0;
  const disks: BackupDisk[] = [];
  for (const disk of rest.disks) {
    const { backing, ...own } = disk;
    if (backing === undefined) {
      disks.push(disk);
      continue;
    }
    const below = from.manifest.disks.find(({ file }) => file === backing.split('/').at(-1))?.backing;
    const hash = await hashFile(join(into.folder, disk.file), {
      signal,
      onBytes: (count) => {
        done += count;
        onProgress?.({ phase: `checksum of ${disk.key}`, done, total });
      },
    });
    disks.push({ ...own, ...hash, ...(below === undefined ? {} : { backing: below }) });
  }
  const { parent: __, ...withoutParent } = rest;
  return {
    ...withoutParent,
    kind,
    ...(reason === undefined ? {} : { reason }),
    ...(parent === undefined ? {} : { parent }),
    disks,
  };
}

function percentOf(onProgress: OnProgress | undefined, phase: string, total: number): (percent: number) => void {
  return (percent) => onProgress?.({ phase, done: Math.round((total * percent) / 100), total });
}
