import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import type { MachineConfig } from '../../config/types.ts';
import { readProcess } from '../../system/process/process.ts';
import { tellCustomDisks } from '../check/custom-disks.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { withDiskAccess } from '../copy/access.ts';
import { openTargets } from '../copy/open-targets.ts';
import { readSources, type SourceDisk } from '../copy/source-disk.ts';
import { makeTargets } from '../copy/target-files.ts';
import { copyJob, type Target } from '../copy/transaction.ts';
import type { Quiesce } from '../quiesce/quiesce.ts';
import { doWork } from '../work/do-work.ts';
import { ANSWER_MS, type BackupContext } from './backup-context.ts';
import { type BackupData, leaveQemu } from './backup-work.ts';
import { beginCopies } from './begin-copies.ts';
import { decide, type LastPoint, outdatedBitmaps, type PointPlan } from './decide.ts';
import { draftOf } from './draft.ts';
import { type Copying, finishBackup } from './finish-backup.ts';
import type { BackupManifest } from './manifest.ts';
import { keepNewest, type RemovedPoint, settleMerge, withBackups } from './merge.ts';
import { copyOthers, variablesTarget } from './other-files.ts';
import { makePartFolder, partFolder } from './part-folder.ts';
import { isAhead, lastPoint, newPointName, trustDestination } from './point-folder.ts';
import { readManifest } from './read-manifest.ts';
import { targetsOf } from './targets-of.ts';

/** How to back up a machine. */
export interface BackupOptions extends LongWorkOptions {
  /** A full backup even if an incremental one is possible. */
  readonly full?: boolean | undefined;
  /** Bytes a second, of all disks together; default: as fast as possible. */
  readonly rate?: number | undefined;
  readonly compress?: boolean | undefined;
  /** Default: `auto`. */
  readonly quiesce?: Quiesce | undefined;
  /** Points to keep: older ones are merged into the next one. Default: all. */
  readonly keep?: number | undefined;
  /** Wait for room when the file system of the destination is full, in place of failing. */
  readonly waitForSpace?: boolean | undefined;
}

/** A point that was made. */
export interface BackupResult {
  readonly point: string;
  /** Its folder. */
  readonly path: string;
  readonly manifest: BackupManifest;
  /** Points that `keep` has removed. */
  readonly removed: readonly RemovedPoint[];
  /** Whether the machine was running: else there was nothing to be frozen. */
  readonly isLive: boolean;
  readonly seconds: number;
}

/**
 * Copies the disks of a machine as of one instant, and what else it consists of, to `DEST/<long>/<point>`: what has
 * changed since the last point there, if that is known to the last block, else all. The machine may run or not. Of a
 * backup that fails nothing is left, and what it was to have is in the next one.
 *
 * @param dest a folder that exists, to which no other user may write.
 * @throws {QemuError} `QEMU_LOCKED` while other work on the disks goes on, `QEMU_IO`, `QEMU_NOT_PERMITTED`,
 * `QEMU_COMMAND_FAILED` when a disk cannot be copied, `QEMU_NOT_RUNNING` when the machine ends meanwhile,
 * `QEMU_NO_AGENT` with `quiesce: 'on'`, `QEMU_CONFIG_INVALID`, `QEMU_ABORTED`.
 */
export async function createBackup(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  dest: string,
  options: BackupOptions = {},
): Promise<BackupResult> {
  const began = performance.now();
  const { keep, signal } = options;
  const place = trustDestination(dest);
  const folder = join(place, target.longName);
  const plan = { kind: 'backup', what: `a backup to "${dest}"`, data: { folder } };
  const { longName } = target;
  return withBackups(place, longName, { purpose: 'backup', signal }, async () => {
    await settleMerge(place, longName, options);
    const { point, isLive } = await doWork(
      host,
      target,
      plan,
      (work) =>
        withDiskAccess(host, target, config, signal, async (access) => ({
          point: await backUp({ host, target, config, dest: place, folder, work, access }, options),
          isLive: access.isRunning,
        })),
      signal,
    );
    const removed = keep === undefined ? [] : await removeOld(place, longName, { keep, point }, options);
    // A point that was merged into this one has changed its manifest.
    const manifest = readManifest(join(folder, point));
    const seconds = Math.round(performance.now() - began) / 1000;
    return { point, path: join(folder, point), manifest, removed, isLive, seconds };
  });
}

async function removeOld(
  dest: string,
  longName: string,
  { keep, point }: { readonly keep: number; readonly point: string },
  options: BackupOptions,
): Promise<readonly RemovedPoint[]> {
  try {
    return await keepNewest(dest, longName, keep, options);
  } catch (cause) {
    if (!(cause instanceof QemuError)) throw cause;
    const message = `Backup "${point}" is complete, but older ones could not be merged`;
    throw new QemuError(cause.code, message, { cause, hint: 'the next backup with --keep goes on with it' });
  }
}

async function backUp(backup: BackupContext, options: BackupOptions): Promise<string> {
  const { host, target, config, dest, folder, access } = backup;
  const sources = await access.visit((domain) =>
    readSources(domain, config.disks, access.isRunning, { timeoutMs: ANSWER_MS }),
  );
  if (sources.length === 0) throw new QemuError('QEMU_USAGE', `Machine "${target.longName}" has no disks`);
  const last = lastPoint(dest, target.longName);
  const point = newPointName(folder);
  const newChain = `${point}-${randomBytes(4).toString('hex')}`;
  const plan = decide({ point, newChain, sources, last, isFull: options.full === true });
  tellLimits(host, target, sources, plan);
  tellCustomDisks(host, target, config, 'the backup');
  const variables = access.isRunning
    ? await access.visit((domain) => variablesTarget(domain, { timeoutMs: ANSWER_MS }))
    : undefined;
  const targets = [...targetsOf(plan), ...(variables === undefined ? [] : [variables])];
  // First: of a part that is not noted nobody would know.
  noteWork(backup, plan, targets);
  try {
    makePartFolder(folder, point, access.user);
    const outdated = outdatedOf(sources, plan, last);
    const { mount, copying } = await begin(backup, options, plan, targets, outdated);
    const { visit, isRunning } = access;
    await finishBackup({ host, target, visit, isRunning, data: { folder, point, mount } }, copying, options);
    return point;
  } catch (error) {
    // Of a machine that runs this is done when the work is undone; this process ends with its disks.
    if (!access.isRunning) await giveUp(backup, plan, targets);
    throw error;
  }
}

async function giveUp({ access, work }: BackupContext, plan: PointPlan, targets: readonly Target[]): Promise<void> {
  const made = { targets: targets.map(({ id }) => id), bitmaps: bitmapsOf(plan) };
  try {
    await access.visit((domain) => leaveQemu(domain, work.record.jobs, made));
  } catch (error) {
    // It may be what has failed. A bitmap too many is dropped by the next backup.
    if (!(error instanceof QemuError)) throw error;
  }
}

function bitmapsOf({ disks }: PointPlan): { node: string; name: string }[] {
  return disks.flatMap(({ source, track }) => (track === undefined ? [] : [{ node: source.node, name: track }]));
}

function tellLimits(host: MachineContext, target: MachineRef, sources: readonly SourceDisk[], plan: PointPlan): void {
  const tell = (level: 'info' | 'warning', message: string): void =>
    host.notify({ level, machine: target.longName, message });
  const whole = sources.filter(({ canTrack }) => !canTrack);
  for (const { key, format } of plan.kind === 'incremental' ? whole : []) {
    tell('info', `${key} (${format}) cannot remember what changed: all of it is copied each time`);
  }
  for (const { key, isEncrypted } of sources) {
    if (isEncrypted) tell('warning', `${key} is encrypted, and its backup is not`);
  }
  if (isAhead(plan.point)) {
    const why = 'the clock of this host was ahead then, or is behind now';
    tell('warning', `it is named ${plan.point} to come after the last one: ${why}`);
  }
}

function noteWork({ work, folder, access }: BackupContext, plan: PointPlan, targets: readonly Target[]): void {
  const startTime = access.daemon === undefined ? undefined : readProcess(access.daemon)?.startTime;
  const data: BackupData = {
    folder,
    point: plan.point,
    targets: targets.map(({ id }) => id),
    bitmaps: bitmapsOf(plan),
    ...(access.daemon !== undefined && startTime !== undefined && { daemon: { pid: access.daemon, startTime } }),
  };
  work.note({ jobs: targets.map((each) => copyJob(each, plan.chain)), data: { ...data } });
}

function outdatedOf(
  sources: readonly SourceDisk[],
  plan: PointPlan,
  last: LastPoint | undefined,
): BackupData['bitmaps'] {
  const lastChain = last !== undefined && 'manifest' in last ? last.manifest.chain : undefined;
  return sources.flatMap((source) =>
    outdatedBitmaps(source, plan, lastChain).map((name) => ({ node: source.node, name })),
  );
}

/** Makes the files, lets QEMU open them, and begins all copies. From then on another command can go on with them. */
async function begin(
  backup: BackupContext,
  options: BackupOptions,
  plan: PointPlan,
  targets: readonly Target[],
  outdated: BackupData['bitmaps'],
): Promise<{ readonly mount: string | undefined; readonly copying: Copying }> {
  const { target, config, folder, access, work } = backup;
  const { rate, compress = false, waitForSpace = false, quiesce = 'auto', keep, signal } = options;
  const part = partFolder(folder, plan.point);
  await makeTargets(part, targets, access.user, signal);
  const mount = await openTargets(backup, part, targets);
  // First: when the disks are copied, there may be no room.
  const files = copyOthers(part, target, config, access.isRunning);
  const how = { rate, compress, waitForSpace, quiesce, signal };
  const instant = await beginCopies(backup, targets, plan.chain, how);
  const variables = targets.filter(({ id }) => !plan.disks.some(({ source }) => source.key === id.toUpperCase()));
  const copying: Copying = {
    targets: targets.map(({ id, file, format }) => ({ id, file, format })),
    draft: draftOf(target, plan, instant, compress, [
      ...files,
      ...variables.map(({ file }) => ({ name: file, role: 'firmware' as const })),
    ]),
    outdated,
    rate,
    waitForSpace,
    keep,
  };
  work.note({ data: { ...work.record.data, copying } });
  return { mount, copying };
}
