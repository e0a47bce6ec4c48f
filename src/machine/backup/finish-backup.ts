import { QemuError } from '../../base/errors.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { unmount } from '../copy/bind-mount.ts';
import { finishWriting } from '../copy/finish-writing.ts';
import { followJobs, type Visit } from '../copy/follow.ts';
import { copyJob, type Target } from '../copy/transaction.ts';
import { type BackupData, leaveQemu } from './backup-work.ts';
import { completePoint } from './complete.ts';
import type { BackupManifest } from './manifest.ts';
import { partFolder } from './part-folder.ts';

/** What is known once all copies have begun, and all that is needed to complete the point. */
export interface Copying {
  readonly targets: readonly Pick<Target, 'id' | 'file' | 'format'>[];
  /** The manifest, still without sizes and checksums. */
  readonly draft: BackupManifest;
  /** Bitmaps that the point makes useless. */
  readonly outdated: BackupData['bitmaps'];
  readonly rate?: number | undefined;
  readonly waitForSpace: boolean;
  readonly keep?: number | undefined;
}

/** Where it goes on. */
export interface FinishContext {
  readonly host: MachineContext;
  readonly target: MachineRef;
  readonly visit: Visit;
  readonly isRunning: boolean;
  readonly data: Pick<BackupData, 'folder' | 'point' | 'mount'>;
}

/**
 * Follows the copies to their end, closes the files and completes the point.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` when a disk cannot be copied; as {@link completePoint}; `QEMU_ABORTED`, and
 * what a visit throws.
 */
export async function finishBackup(
  { host, target, visit, isRunning, data }: FinishContext,
  { targets, draft, outdated, rate, waitForSpace }: Copying,
  { signal, onProgress = () => {} }: LongWorkOptions,
): Promise<BackupManifest> {
  const { folder, point, mount } = data;
  const onFull = (isGuestHeld: boolean): void => {
    const message = isGuestHeld
      ? `its guest stands still until there is room in "${folder}" for what it is about to write over, or the backup ends`
      : `the file system of "${folder}" is full: the backup waits until there is room`;
    host.notify({ level: 'warning', machine: target.longName, message });
  };
  const jobs = new Map(targets.map((each) => [copyJob(each, draft.chain), each.id.toUpperCase()]));
  const machine = isRunning ? { host, target } : undefined;
  const follow = { jobs, folder: partFolder(folder, point), rate, waitForSpace, onProgress, onFull, machine, signal };
  await followJobs(visit, follow);
  for (const each of targets) await finishWriting(visit, each, follow);
  const closed = { targets: targets.map(({ id }) => id), bitmaps: [] };
  await visit((domain) => leaveQemu(domain, [...jobs.keys()], closed));
  if (mount !== undefined) await unmount(mount);
  const manifest = await completePoint(folder, point, draft, { onProgress, signal });
  await dropBitmaps(host, target, visit, outdated);
  return manifest;
}

/** The point is whole: what happens to its bitmaps from here on only costs room. */
async function dropBitmaps(
  host: MachineContext,
  target: MachineRef,
  visit: Visit,
  bitmaps: BackupData['bitmaps'],
): Promise<void> {
  try {
    await visit((domain) => leaveQemu(domain, [], { targets: [], bitmaps }));
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    const message = `bitmaps of earlier backups stay until the next one (${error.message})`;
    host.notify({ level: 'debug', machine: target.longName, message });
  }
}
