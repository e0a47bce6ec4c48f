import { delay } from '../../../base/abort.ts';
import { QemuError } from '../../../base/errors.ts';
import { setKey } from '../../../config/text/edit-text.ts';
import type { Domain } from '../../../domain/domain.ts';
import { type Job, listJobs } from '../../../domain/job.ts';
import { JobError } from '../../../domain/job-error.ts';
import type { MachineContext, MachineRef } from '../../context.ts';
import { whileEditing } from '../../edit-config.ts';
import type { Work } from '../../work/do-work.ts';
import { removeParts } from '../../work/part-files.ts';
import type { DiskAccess } from '../disk-access.ts';
import { noteDiskFile } from '../disk-line.ts';
import { diskNode } from '../disk-nodes.ts';
import { isSameFile } from '../same-file.ts';
import { dropNodes } from './drop-nodes.ts';
import { holdGuest, releaseGuest } from './hold-guest.ts';
import type { Pivot } from './pivot-plan.ts';

/** From `job-complete` on QEMU only has to write what is left. */
const COMPLETE_MS = 60_000;
/** A guest that writes faster than that keeps the two from being the same until it is held for a moment. */
const PATIENCE_MS = 3_000;
const PAUSE_MS = 5;

/**
 * Lets a disk go on in the image that its job has made equal to it. From the moment when both are the same until the
 * machine's file names the new one QEMU keeps the guest's writes waiting, so whoever is killed at whatever moment, the
 * file is right.
 *
 * @throws {JobError} `QEMU_COMMAND_FAILED` when the job fails.
 * @throws {QemuError} `QEMU_TIMEOUT`, `QEMU_LOCKED` when another command changes files of machines.
 */
export async function pivotDisk(
  host: MachineContext,
  target: MachineRef,
  access: DiskAccess,
  work: Work,
  pivot: Pivot,
): Promise<void> {
  const { key, file, jobId } = pivot;
  const [edit] = work.record.cfgEdits;
  // The lock first: no guest is to wait for another command.
  await whileEditing(host, target, { purpose: 'disk' }, async ({ prepare }) =>
    access.use(async (domain) => {
      // Once both are the same there should be no way back: QEMU opens the old image again for that, and crashes where it cannot.
      const cfg = prepare((text) => setKey(text, key, edit?.to ?? ''));
      try {
        await completeJob(domain, jobId, cfg.commit, () => holdGuest(domain, work));
      } finally {
        cfg.discard();
      }
      await releaseGuest(domain, work.record);
      if (access.isRunning && !isSameFile((await diskNode(domain, key)).layers[0].file, file)) {
        throw notActive(key, file);
      }
      await dropNodes(domain, pivot.oldNodes, {});
    }),
  );
  if (access.isRunning) noteDiskFile(host, target, pivot);
  removeParts(pivot.oldFiles);
}

/**
 * Ends a job that is ready.
 *
 * @param whileSame is done while both images are the same and nothing writes to either.
 * @param hold is done when they do not become the same in time.
 * @throws {JobError} `QEMU_COMMAND_FAILED`
 */
export async function completeJob(
  domain: Domain,
  jobId: string,
  whileSame: () => void,
  hold: () => Promise<void> = async () => {},
): Promise<void> {
  await domain.run('job-complete', { id: jobId });
  const pending = await become(domain, jobId, 'pending', hold);
  whileSame();
  await pending.finalize();
  await (await become(domain, jobId, 'concluded')).dismiss();
}

function notActive(key: string, file: string): QemuError {
  return new QemuError('QEMU_COMMAND_FAILED', `QEMU did not let ${key} go on in "${file}"`);
}

async function become(domain: Domain, jobId: string, status: string, hold?: () => Promise<void>): Promise<Job> {
  const began = performance.now();
  const deadline = began + COMPLETE_MS;
  let isLate = false;
  for (;;) {
    const job = (await listJobs(domain)).find(({ id }) => id === jobId);
    if (job?.error !== undefined) throw new JobError(jobId, job.error);
    if (job?.status === status) return job;
    if (job === undefined || job.isOver) throw new JobError(jobId, undefined);
    if (!isLate && performance.now() - began > PATIENCE_MS) {
      isLate = true;
      await hold?.();
    }
    if (performance.now() > deadline) {
      throw new QemuError(
        'QEMU_TIMEOUT',
        `Job "${jobId}" is ${job.status}, and not ${status} within ${COMPLETE_MS / 1000} s`,
      );
    }
    await delay(PAUSE_MS);
  }
}
