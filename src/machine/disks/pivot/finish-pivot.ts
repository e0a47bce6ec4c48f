import { QemuError } from '../../../base/errors.ts';
import type { LongWorkOptions } from '../../../base/progress.ts';
import type { MachineConfig } from '../../../config/types.ts';
import { hasFileOpen } from '../../../system/process/holders.ts';
import type { MachineContext, MachineRef } from '../../context.ts';
import { locate } from '../../run/locate.ts';
import type { Work } from '../../work/do-work.ts';
import { chosenDisk } from '../chosen-disk.ts';
import { copyOptions, keepSynced } from '../copy-nodes.ts';
import type { DiskAccess } from '../disk-access.ts';
import { syncFile } from '../target-file.ts';
import { watchJob } from '../watch-job.ts';
import { pivotDisk } from './pivot.ts';
import { nodesOf, type Pivot, pivotOf } from './pivot-plan.ts';

/**
 * Waits for the job of a disk that is to go on in another image, and lets it. For the command that began it, and for one
 * that goes on in place of a killed one.
 *
 * @throws {JobError} `QEMU_COMMAND_FAILED`
 * @throws {QemuError} `QEMU_ABORTED` and what {@link pivotDisk} throws.
 */
export async function finishPivot(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  access: DiskAccess,
  work: Work,
  options: LongWorkOptions,
): Promise<Pivot> {
  const { record } = work;
  const pivot = pivotOf(record);
  if (pivot === undefined || record.cfgEdits.length === 0)
    throw new QemuError('QEMU_IO', 'The record of the work is damaged');
  const { jobId, key, file, format } = pivot;
  const phase = record.what.replace(/ (to|into) ".*$/, '');
  await watchJob(access, { ...options, jobId, phase, until: ['ready'] });
  if (pivot.newNodes.length > 0) {
    const disk = chosenDisk(config, key);
    await access.use((domain) => keepSynced(domain, copyOptions(disk, { file, format }, nodesOf(pivot))));
    await syncFile(file);
    requireOpen(target, file, record.partFiles[0]?.id);
  }
  await pivotDisk(host, target, access, work, pivot);
  return pivot;
}

/** QEMU may have mounts of its own, so that a path leads it elsewhere. */
function requireOpen({ files }: MachineRef, file: string, id: string | undefined): void {
  const located = locate(files);
  if (located.kind !== 'alive' || id === undefined || hasFileOpen(located.process.pid, id) !== false) return;
  throw new QemuError('QEMU_COMMAND_FAILED', `QEMU has another file open than "${file}"`, {
    hint: 'choose a folder that it was started with, such as that of its images',
  });
}
