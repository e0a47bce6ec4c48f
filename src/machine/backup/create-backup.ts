import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import type { MachineConfig } from '../../config/types.ts';
import { fileError } from '../../system/files/file-error.ts';
import { readProcess } from '../../system/process/process.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { openTargets } from '../copy/open-targets.ts';
import { type Quiesce, whileQuiet } from '../quiesce/quiesce.ts';
import { isPulledPlug, readLastRun } from '../run/last-run.ts';
import { doWork, type Work } from '../work/do-work.ts';
import { type DiskAccess, withDiskAccess } from './access.ts';
import { type BackupData, leaveQemu, partFolder, removeParts } from './backup-work.ts';
import { unmount } from './bind-mount.ts';
import { completePoint, type Draft } from './complete.ts';
import { decide, type LastPoint, outdatedBitmaps, type PointPlan } from './decide.ts';
import { finishWriting } from './finish-writing.ts';
import { followJobs } from './follow.ts';
import type { BackupManifest } from './manifest.ts';
import { keepNewest, type RemovedPoint, settleMerge, withBackups } from './merge.ts';
import { copyOthers, variablesTarget } from './other-files.ts';
import { lastPoint, newPointName, trustDestination } from './point-folder.ts';
import { readManifest } from './read-manifest.ts';
import { readSources, type SourceDisk } from './source-disk.ts';
import { makeTargets } from './target-files.ts';
import { type CopyOptions, copyJob, type Target, targetsOf, transactionOf } from './transaction.ts';

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
  readonly seconds: number;
}

const ANSWER_MS = 30_000;

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
  const plan = { kind: 'backup', what: `a backup to "${dest}"` };
  const { longName } = target;
  return withBackups(place, longName, { purpose: 'backup', signal }, async () => {
    await settleMerge(place, longName, options);
    const made = await doWork(
      host,
      target,
      plan,
      (work) =>
        withDiskAccess(host, target, config, signal, (access) =>
          backUp({ host, target, config, dest: place, folder, options, work, access }),
        ),
      signal,
    );
    const removed = keep === undefined ? [] : await removeOld(place, longName, { keep, point: made.point }, options);
    // A point that was merged into this one has changed its manifest.
    const manifest = readManifest(join(folder, made.point));
    const seconds = Math.round(performance.now() - began) / 1000;
    return { point: made.point, path: join(folder, made.point), manifest, removed, seconds };
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

/** All that the steps need. */
interface Backup {
  readonly host: MachineContext;
  readonly target: MachineRef;
  readonly config: MachineConfig;
  readonly dest: string;
  /** Folder of the machine's points. */
  readonly folder: string;
  readonly options: BackupOptions;
  readonly work: Work;
  readonly access: DiskAccess;
}

async function backUp(backup: Backup): Promise<{ point: string; manifest: BackupManifest }> {
  const { host, target, config, folder, options, access } = backup;
  const { signal } = options;
  const sources = await access.visit((domain) =>
    readSources(domain, config.disks, access.isRunning, { timeoutMs: ANSWER_MS }),
  );
  if (sources.length === 0) throw new QemuError('QEMU_USAGE', `Machine "${target.longName}" has no disks`);
  const last = lastPoint(backup.dest, target.longName);
  const point = newPointName(folder);
  const newChain = `${point}-${randomBytes(4).toString('hex')}`;
  const plan = decide({ point, newChain, sources, last, isFull: options.full === true });
  tellLimits(host, target, sources, plan);
  const variables = access.isRunning
    ? await access.visit((domain) => variablesTarget(domain, { timeoutMs: ANSWER_MS }))
    : undefined;
  const targets = [...targetsOf(plan), ...(variables === undefined ? [] : [variables])];
  makeFolder(folder, point, access);
  noteWork(backup, plan, targets);
  try {
    const draft = await copy(backup, plan, targets);
    const { onProgress = () => {} } = options;
    const manifest = await completePoint(folder, point, draft, { onProgress, signal });
    await dropBitmaps(backup, sources, plan, last);
    return { point, manifest };
  } catch (error) {
    // Of a machine that runs this is done when the work is undone; this process ends with its disks.
    if (!access.isRunning) await giveUp(backup, plan, targets);
    throw error;
  }
}

async function giveUp({ access, work }: Backup, plan: PointPlan, targets: readonly Target[]): Promise<void> {
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
}

/** Earlier points that were never finished go now. */
function makeFolder(folder: string, point: string, { user }: DiskAccess): void {
  const mode = user === undefined ? 0o700 : 0o711;
  removeParts(folder);
  try {
    // QEMU's user passes, and sees no names.
    if (user !== undefined) chmodSync(folder, statSync(folder).mode | 0o011);
    mkdirSync(partFolder(folder, point), { mode });
    // Whatever the umask.
    chmodSync(partFolder(folder, point), mode);
  } catch (error) {
    throw fileError('make folder', partFolder(folder, point), error);
  }
}

function noteWork({ work, folder, access }: Backup, plan: PointPlan, targets: readonly Target[]): void {
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

/** Copies everything, and closes the files. */
async function copy(backup: Backup, plan: PointPlan, targets: readonly Target[]): Promise<Draft> {
  const { target, config, folder, options, access, work } = backup;
  const { signal, rate, waitForSpace = false, onProgress = () => {} } = options;
  const part = partFolder(folder, plan.point);
  await makeTargets(part, targets, access.user, signal);
  const mount = await openTargets(backup, part, targets);
  // First: when the disks are copied, there may be no room.
  const files = copyOthers(part, target, config, access.isRunning);
  const { quiesced, at, qemuVersion } = await begin(backup, plan, targets);
  const jobs = new Map(targets.map((each) => [copyJob(each, plan.chain), each.id.toUpperCase()]));
  const onFull = (): void => tellFull(backup);
  const follow = { jobs, folder: part, rate, waitForSpace, onProgress, onFull, signal };
  await followJobs(access.visit, follow);
  for (const each of targets) await finishWriting(access.visit, each, follow);
  await access.visit((domain) =>
    leaveQemu(domain, work.record.jobs, { targets: targets.map(({ id }) => id), bitmaps: [] }),
  );
  if (mount !== undefined) await unmount(mount);
  const variables = targets.find(({ id }) => !/^dsk\d+$/.test(id));
  return {
    version: 1,
    name: target.longName,
    shortName: target.shortName ?? target.longName,
    createdAt: at,
    kind: plan.kind,
    ...(plan.reason !== undefined && { reason: plan.reason }),
    ...(plan.parent !== undefined && { parent: plan.parent }),
    chain: plan.chain,
    quiesced,
    qemuVersion,
    compressed: options.compress === true,
    disks: plan.disks.map(({ source, file, backing }) => ({
      key: source.key,
      file,
      format: 'qcow2',
      virtualSizeBytes: source.sizeBytes,
      sourcePath: source.path,
      sourceFormat: source.format,
      ...(backing !== undefined && { backing }),
    })),
    files: [...files, ...(variables === undefined ? [] : [{ name: variables.file, role: 'firmware' as const }])],
  };
}

function tellFull({ host, target, folder }: Backup): void {
  const message = `the file system of "${folder}" is full: the backup waits until there is room`;
  host.notify({ level: 'warning', machine: target.longName, message });
}

/** The instant of the backup: all copies and bitmaps begin, or none. */
async function begin(
  { host, target, options, access }: Backup,
  plan: PointPlan,
  targets: readonly Target[],
): Promise<{ quiesced: boolean; at: string; qemuVersion: string }> {
  const { rate, compress = false, waitForSpace = false, quiesce = 'auto', signal } = options;
  const copyOptions: CopyOptions = { rate, compress, waitForSpace };
  return access.visit(async (domain) => {
    const transact = async (): Promise<string> => {
      await domain.run('transaction', transactionOf(targets, plan.chain, copyOptions), { timeoutMs: ANSWER_MS });
      return new Date().toISOString();
    };
    const qemuVersion = domain.version();
    if (!access.isRunning) return { quiesced: wasShutDown(host, target), at: await transact(), qemuVersion };
    const { value: at, quiesced } = await whileQuiet(
      host,
      target,
      { quiesce, client: domain.client, signal },
      transact,
    );
    return { quiesced, at, qemuVersion };
  });
}

/** A guest that has shut down has nothing in memory that is not on its disks. */
function wasShutDown({ paths }: MachineContext, { longName }: MachineRef): boolean {
  const end = readLastRun(paths, longName);
  return end === undefined || (!isPulledPlug(end) && end.cause === 'guest-shutdown');
}

/** The point is whole: what happens to its bitmaps from here on only costs room. */
async function dropBitmaps(
  { access, host, target }: Backup,
  sources: readonly SourceDisk[],
  plan: PointPlan,
  last: LastPoint | undefined,
): Promise<void> {
  const lastChain = last !== undefined && 'manifest' in last ? last.manifest.chain : undefined;
  const bitmaps = sources.flatMap((source) =>
    outdatedBitmaps(source, plan, lastChain).map((name) => ({ node: source.node, name })),
  );
  try {
    await access.visit((domain) => leaveQemu(domain, [], { targets: [], bitmaps }));
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    const message = `bitmaps of earlier backups stay until the next one (${error.message})`;
    host.notify({ level: 'debug', machine: target.longName, message });
  }
}
