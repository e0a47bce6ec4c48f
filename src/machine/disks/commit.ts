import { realpathSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { ConfigError } from '../../base/config-error.ts';
import { QemuError } from '../../base/errors.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import type { DiskConfig } from '../../config/device-config.ts';
import { setKey } from '../../config/text/edit-text.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { MachineConfig } from '../../config/types.ts';
import { newJobId } from '../../domain/job-id.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { editConfig, requireEditable } from '../edit-config.ts';
import { locate } from '../run/locate.ts';
import { exclusively } from '../run/run-lock.ts';
import { readSnapshotNotes } from '../snapshot/snapshot-notes.ts';
import { type RunAs, resolveRunAs } from '../start/run-as.ts';
import { refuseSaved } from '../state/saved-folder.ts';
import { withStorageDaemon } from '../storage-daemon/storage-daemon.ts';
import { doWork, refuseDuringWork, type WorkPlan } from '../work/do-work.ts';
import { removeParts } from '../work/part-files.ts';
import { movableDisk, requireSame } from './chosen-disk.ts';
import { explainOpen } from './copy-error.ts';
import { type DiskAccess, daemonDisks, runningDisks } from './disk-access.ts';
import type { DiskLayer, DiskNow } from './disk-layer.ts';
import { lineOfDisk } from './disk-line.ts';
import { diskNode } from './disk-nodes.ts';
import { hostLayers } from './host-layers.ts';
import type { MoveResult } from './move-result.ts';
import { ownParts } from './own-parts.ts';
import { finishPivot } from './pivot/finish-pivot.ts';
import { completeJob } from './pivot/pivot.ts';
import type { Pivot } from './pivot/pivot-plan.ts';
import { isSameFile } from './same-file.ts';
import { stoppedDisks } from './stopped-disks.ts';
import { syncFile } from './target-file.ts';
import { watchJob } from './watch-job.ts';

/**
 * Collapses the chain of a disk: all that its overlays hold is written into the image at the bottom, where the disk then
 * goes on, and the overlays are removed. A machine that runs goes on meanwhile. A disk without a chain is left as it is.
 *
 * @throws {ConfigError} when something else rests on one of the images, or they cannot be used.
 * @throws {JobError} `QEMU_COMMAND_FAILED` when it fails, as without room: the disk is in its overlay then.
 * @throws {QemuError} `QEMU_USAGE` for a disk that cannot be moved, or whose overlays have snapshots; `QEMU_LOCKED` while
 * other work on the machine's disks goes on; `QEMU_DEVICE_UNKNOWN`, `QEMU_NOT_PERMITTED`, `QEMU_ABORTED`.
 */
export async function commitDisk(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  key: string,
  options: CommitDiskOptions = {},
): Promise<MoveResult> {
  const began = performance.now();
  await refuseDuringWork(host, target, options.signal);
  requireEditable(target);
  const disk = movableDisk(target, config, key);
  const user = await resolveRunAs(config);
  const pivot = await commit({ host, target, config, disk, user, options });
  return {
    key: `DSK${disk.index}`,
    from: disk.file,
    to: pivot?.file ?? disk.file,
    format: pivot?.format ?? disk.format ?? '',
    removed: pivot?.oldFiles.map(({ path }) => path) ?? [],
    seconds: Math.round(performance.now() - began) / 1000,
  };
}

/** How to collapse a chain. */
export interface CommitDiskOptions extends LongWorkOptions {
  /** The image in which the disk is to go on, in place of the one at the bottom: for who deletes a snapshot's layers. */
  readonly into?: string | undefined;
}

/** What is to be collapsed. */
interface CommitJob {
  readonly host: MachineContext;
  readonly target: MachineRef;
  readonly config: MachineConfig;
  readonly disk: DiskConfig;
  /** Whom QEMU runs as; undefined: the caller. */
  readonly user: RunAs | undefined;
  readonly options: CommitDiskOptions;
}

/** Undefined when there was nothing to do. */
async function commit(job: CommitJob): Promise<Pivot | undefined> {
  const { host, target, options } = job;
  if (locate(target.files).kind === 'alive') return commitRunning(job);
  return exclusively(host, target, { purpose: 'disk', signal: options.signal }, () =>
    locate(target.files).kind === 'alive' ? commitRunning(job) : commitStopped(job),
  );
}

async function commitRunning(job: CommitJob): Promise<Pivot | undefined> {
  const { host, target, config, disk, options } = job;
  const access = runningDisks(host, target);
  const now = await access.use((domain) => diskNode(domain, `DSK${disk.index}`));
  requireSame(target, disk, now);
  const pivot = pivotInto(job, hostLayers(host, target, disk, now));
  if (pivot === undefined) return undefined;
  const plan = { ...planOf(job, pivot), jobs: [pivot.jobId] };
  await doWork(
    host,
    target,
    plan,
    async (work) => {
      await startCommit(access, pivot, now);
      await finishPivot(host, target, config, access, work, options);
    },
    options.signal,
  );
  return pivot;
}

async function commitStopped(job: CommitJob): Promise<Pivot | undefined> {
  const { host, target, config, disk, options } = job;
  const { signal } = options;
  refuseSaved(target.files, target.longName, `collapse DSK${disk.index}`);
  const [seen] = await stoppedDisks(host, config, signal, [`DSK${disk.index}`]);
  const pivot = seen && pivotInto(job, seen);
  if (pivot === undefined) return undefined;
  await doWork(
    host,
    target,
    planOf(job, pivot),
    async (work) => {
      await withStorageDaemon(host, target, config, { signal, disks: [disk.index] }, async ({ domain }) => {
        const access = daemonDisks(domain);
        await startCommit(access, pivot, await diskNode(domain, pivot.key));
        await watchJob(access, { jobId: pivot.jobId, phase: committing(pivot.key), until: ['ready'], ...options });
        await completeJob(domain, pivot.jobId, () => {});
      });
      await syncFile(pivot.file);
      await editConfig(host, target, {
        purpose: 'disk',
        change: (text) => setKey(text, pivot.key, work.record.cfgEdits[0]?.to ?? ''),
      });
      removeParts(pivot.oldFiles);
    },
    signal,
  );
  return pivot;
}

function pivotInto(job: CommitJob, now: DiskNow): Pivot | undefined {
  const { into } = job.options;
  const at = into === undefined ? now.layers.length - 1 : now.layers.findIndex(({ file }) => isSameFile(file, into));
  const base = now.layers[at];
  const overlays = now.layers.slice(0, Math.max(0, at));
  if (base === undefined || overlays.length === 0) return undefined;
  refuseRemote(job, now.key, base);
  refuseSnapshots(now.key, overlays);
  if (into === undefined) refuseLayers(job, now);
  refuseOthers(job, base);
  const oldFiles = ownParts(
    now.key,
    overlays.map(({ file }) => file),
    job.user,
  );
  return {
    key: now.key,
    jobId: newJobId('commit', now.key.toLowerCase()),
    // As the machine's file will name it, without links.
    file: realpathSync(base.file),
    format: base.format,
    newNodes: [],
    oldNodes: overlays.flatMap(({ node, fileNode }) => [node ?? [], fileNode ?? []].flat()),
    oldFiles,
    isGivenUp: false,
  };
}

/** The machine's file can only name an image of this host. */
function refuseRemote({ target }: CommitJob, key: string, { file }: DiskLayer): void {
  if (isAbsolute(file)) return;
  throw new QemuError('QEMU_USAGE', `Cannot collapse ${key} into "${file}", which is not a file of this host`, {
    hint: `copy all of it into one image: ${shellCommand('qemu-init', 'disk', 'mirror', target.longName, key)} FILE`,
  });
}

/** They would be lost with the overlay. */
function refuseSnapshots(key: string, overlays: readonly DiskLayer[]): void {
  const found = overlays.find(({ snapshots }) => snapshots.length > 0);
  if (found === undefined) return;
  const names = found.snapshots.map(({ name, id }) => name || id).join(', ');
  throw new QemuError('QEMU_USAGE', `Cannot collapse ${key}: "${found.file}" has snapshots (${names})`, {
    hint: 'delete them first: they exist only in that overlay',
  });
}

/** External snapshots are these very layers. */
function refuseLayers({ target }: CommitJob, { key, layers }: DiskNow): void {
  const files = layers.map(({ file }) => file);
  const isIn = (file: string): boolean => files.some((each) => isSameFile(each, file));
  const found = readSnapshotNotes(target.files).find((note) =>
    note.layers.some((layer) => layer.key === key && (isIn(layer.base) || isIn(layer.overlay))),
  );
  if (found === undefined) return;
  throw new QemuError('QEMU_USAGE', `Cannot collapse ${key}: its layers are the snapshot "${found.name}"`, {
    hint: `delete it first: ${shellCommand('qemu-init', 'snapshot', 'delete', target.longName, found.name)}`,
  });
}

/** The image at the bottom is about to change: nothing else may rest on it. */
function refuseOthers({ host, config, disk }: CommitJob, { file, format }: DiskLayer): void {
  const disks = config.disks.map((each) => (each.index === disk.index ? { ...each, file, format } : each));
  const problems = host.storageInUse({ ...config, disks });
  if (!problems.some(({ severity }) => severity === 'error')) return;
  throw new ConfigError(`Cannot collapse DSK${disk.index} into "${file}"`, problems);
}

function planOf({ target, disk }: CommitJob, pivot: Pivot): WorkPlan {
  const { from, to } = lineOfDisk(target, pivot, disk);
  return {
    kind: 'pivot',
    what: `${committing(pivot.key)} into "${pivot.file}"`,
    cfgEdits: [{ key: pivot.key, from, to }],
    data: { ...pivot },
  };
}

async function startCommit(access: DiskAccess, { jobId, file }: Pivot, now: DiskNow): Promise<void> {
  try {
    await access.use((domain) =>
      domain.run('block-commit', {
        'job-id': jobId,
        device: now.node,
        'base-node': now.layers.find((layer) => isSameFile(layer.file, file))?.node,
        'auto-finalize': false,
        'auto-dismiss': false,
      }),
    );
  } catch (error) {
    throw explainOpen(error, file);
  }
}

function committing(key: string): string {
  return `collapsing ${key}`;
}
