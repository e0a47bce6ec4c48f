import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { QemuError } from '../../../base/errors.ts';
import type { LongWorkOptions } from '../../../base/progress.ts';
import { shellCommand } from '../../../config/text/shell-words.ts';
import type { MachineConfig } from '../../../config/types.ts';
import { newJobId } from '../../../domain/job-id.ts';
import { namesIn } from '../../../system/files/files.ts';
import { readImageInfo } from '../../../system/images/image.ts';
import type { MachineContext, MachineRef } from '../../context.ts';
import { chosenDisk, requireSame } from '../../disks/chosen-disk.ts';
import { commitDisk } from '../../disks/commit.ts';
import { explainOpen } from '../../disks/copy-error.ts';
import { type DiskAccess, daemonDisks, runningDisks } from '../../disks/disk-access.ts';
import type { DiskNow } from '../../disks/disk-layer.ts';
import { diskNode } from '../../disks/disk-nodes.ts';
import { hostLayers } from '../../disks/host-layers.ts';
import { ownParts } from '../../disks/own-parts.ts';
import { isSameFile } from '../../disks/same-file.ts';
import { stoppedDisks } from '../../disks/stopped-disks.ts';
import { watchJob } from '../../disks/watch-job.ts';
import { locate } from '../../run/locate.ts';
import { exclusively } from '../../run/run-lock.ts';
import { resolveRunAs } from '../../start/run-as.ts';
import { withStorageDaemon } from '../../storage-daemon/storage-daemon.ts';
import { doWork } from '../../work/do-work.ts';
import { removeParts } from '../../work/part-files.ts';
import { forgetLayer, readSnapshotNotes, type SnapshotLayer } from '../snapshot-notes.ts';
import { refuseShared } from './lay-over.ts';
import { noteMerge } from './note-merge.ts';
import { backingName } from './overlay-file.ts';

/** A merge of a layer; what its kind has to know: see `merge-work.ts`. */
export const MERGE_WORK = 'snapshot-merge';

/** A machine, and how its work is watched. */
export interface Merge {
  readonly host: MachineContext;
  readonly target: MachineRef;
  readonly config: MachineConfig;
  readonly options: LongWorkOptions;
}

/**
 * Writes the overlay of a snapshot into the image below it, and removes it: the disk stays what it is, and the snapshot is
 * gone. A machine that runs goes on meanwhile.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` when something else rests on one of the two.
 */
export async function mergeLayer(merge: Merge, layer: SnapshotLayer): Promise<void> {
  const { host, target, config, options } = merge;
  const now = await look(merge, layer);
  const at = now.layers.findIndex(({ file }) => isSameFile(file, layer.overlay));
  const isApart = !now.layers.some(({ file }) => isSameFile(file, layer.base));
  if (isApart) tellApart(host, target, now, layer);
  // The overlay is of a state that was reverted from: nothing of it is in the disk, whose base stays as it is.
  if (at < 0 || isApart) return forgetLayer(target.files, layer);
  refuseBranches(now, layer);
  refuseShared(host, withBase(config, layer));
  if (at > 0) return mergeInner(merge, layer);
  await commitDisk(host, target, config, layer.key, { ...options, into: layer.base });
  noteMerge(host, target, layer);
}

/**
 * An overlay that a restore has replaced rests on nothing, and no other command would name what was below it.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` when another snapshot is in the overlay: by its note it would be in the base.
 */
function tellApart(
  host: MachineContext,
  { files, longName }: MachineRef,
  now: DiskNow,
  { key, base, overlay }: SnapshotLayer,
): void {
  const above = readSnapshotNotes(files).find(({ layers }) => layers.some((each) => each.base === overlay));
  if (above !== undefined) {
    throw new QemuError('QEMU_COMMAND_FAILED', `Snapshot "${above.name}" is in "${overlay}"`, {
      hint: `delete that one first: ${shellCommand('qemu-init', 'snapshot', 'delete', longName, above.name)}`,
    });
  }
  const left = [base, overlay].filter(
    (file) => existsSync(file) && !now.layers.some((each) => isSameFile(each.file, file)),
  );
  if (left.length === 0) return;
  const names = left.map((file) => `"${file}"`).join(', ');
  const message = `${key} does not rest on ${names}: what is there stays, also snapshots inside; remove it if it is not needed`;
  host.notify({ level: 'warning', machine: longName, message });
}

/** As if the base were the disk: it is about to change. */
function withBase(config: MachineConfig, { key, base, format }: SnapshotLayer): MachineConfig {
  return {
    ...config,
    disks: config.disks.map((disk) => (key === `DSK${disk.index}` ? { ...disk, file: base, format } : disk)),
  };
}

async function look({ host, target, config, options }: Merge, { key }: SnapshotLayer): Promise<DiskNow> {
  if (locate(target.files).kind === 'alive') {
    const now = await runningDisks(host, target, options.signal).use((domain) => diskNode(domain, key));
    const disk = chosenDisk(config, key);
    requireSame(target, disk, now);
    return hostLayers(host, target, disk, now);
  }
  const [found] = await stoppedDisks(host, config, options.signal, [key]);
  if (found) return found;
  throw new QemuError('QEMU_DEVICE_UNKNOWN', `Machine "${target.longName}" has no disk ${key}`);
}

/** Images that are no part of the disk and rest on the base or the overlay would be destroyed. */
function refuseBranches({ layers }: DiskNow, { base, overlay }: SnapshotLayer): void {
  const folder = dirname(base);
  for (const name of namesIn(folder)) {
    const file = join(folder, name);
    if (layers.some((layer) => isSameFile(layer.file, file))) continue;
    const backing = backingOf(file);
    if (backing === undefined || ![base, overlay].some((each) => isSameFile(each, backing))) continue;
    throw new QemuError('QEMU_COMMAND_FAILED', `"${file}" rests on "${backing}", which would change`, {
      hint: 'it may be what the disk was before a revert: remove it first if it is not needed any more',
    });
  }
}

function backingOf(file: string): string | undefined {
  try {
    const { backingFile } = readImageInfo(file);
    return backingFile === undefined ? undefined : resolve(dirname(file), backingFile);
  } catch (error) {
    if (error instanceof QemuError) return undefined;
    throw error;
  }
}

async function mergeInner(merge: Merge, layer: SnapshotLayer): Promise<void> {
  const { host, target, config, options } = merge;
  const { signal } = options;
  const jobId = newJobId('snapshot-merge', layer.key.toLowerCase());
  const parts = ownParts(layer.key, [layer.overlay], await resolveRunAs(config));
  const plan = { kind: MERGE_WORK, what: `merging a layer of ${layer.key}`, jobs: [jobId], data: { layer, parts } };
  const body = (access: DiskAccess): Promise<void> => commitInner(access, layer, jobId, options);
  await doWork(
    host,
    target,
    plan,
    async () => {
      if (locate(target.files).kind === 'alive') await body(runningDisks(host, target, signal));
      else {
        const { index } = chosenDisk(config, layer.key);
        await exclusively(host, target, { purpose: 'snapshot', signal }, () =>
          withStorageDaemon(host, target, config, { signal, disks: [index] }, ({ domain }) =>
            body(daemonDisks(domain)),
          ),
        );
      }
      if (existsSync(layer.overlay)) removeParts(parts);
      // Within the work: snapshots that rest on the overlay by their notes would be lost if this were left out.
      noteMerge(host, target, layer);
    },
    signal,
  );
}

async function commitInner(
  access: DiskAccess,
  { key, base, overlay }: SnapshotLayer,
  jobId: string,
  options: LongWorkOptions,
): Promise<void> {
  try {
    await access.use(async (domain) => {
      const { node, layers } = await diskNode(domain, key);
      const nodeOf = (file: string): string | undefined => layers.find((each) => isSameFile(each.file, file))?.node;
      await domain.run('block-commit', {
        'job-id': jobId,
        device: node,
        'top-node': nodeOf(overlay),
        'base-node': nodeOf(base),
        // Else QEMU writes an absolute path into the layer above.
        'backing-file': backingName(base),
        'auto-dismiss': false,
      });
    });
  } catch (error) {
    throw explainOpen(error, base);
  }
  const job = await watchJob(access, { ...options, jobId, phase: `merging a layer of ${key}`, until: ['concluded'] });
  await access.use((domain) => domain.run('job-dismiss', { id: job.id }));
}
