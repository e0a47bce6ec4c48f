import { delay } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import { type Job, listJobs } from '../../domain/job.ts';
import { JobError } from '../../domain/job-error.ts';
import type { DiskAccess } from './disk-access.ts';

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 500;

/** What to wait for. */
export interface JobWatch extends LongWorkOptions {
  readonly jobId: string;
  /** For the progress: `copying DSK1`. */
  readonly phase: string;
  /** States of the job that end the wait. */
  readonly until: readonly string[];
}

/**
 * Looks at a job again and again until it is in one of the states, by a new connection each time, so that other commands
 * get their turn.
 *
 * @throws {JobError} `QEMU_COMMAND_FAILED` when it fails or is cancelled.
 * @throws {QemuError} `QEMU_ABORTED`; the job goes on then. `QEMU_NOT_RUNNING` when the machine has ended.
 */
export async function watchJob(access: DiskAccess, watch: JobWatch): Promise<Job> {
  const { jobId, phase, until, signal, onProgress } = watch;
  const began = performance.now();
  for (;;) {
    const job = (await access.use(listJobs)).find(({ id }) => id === jobId);
    if (job === undefined) throw new QemuError('QEMU_COMMAND_FAILED', `Job "${jobId}" is gone`, { hint: CANCELLED });
    onProgress?.({ phase, done: Math.min(job.done, job.total), total: job.total });
    if (job.error !== undefined) throw new JobError(jobId, job.error);
    if (until.includes(job.status)) return job;
    if (job.isOver) throw new JobError(jobId, undefined);
    // A tenth of what it took so far is not noticed.
    const pauseMs = (performance.now() - began) / 10;
    await delay(Math.min(Math.max(pauseMs, FIRST_PAUSE_MS), LONGEST_PAUSE_MS), signal);
  }
}

const CANCELLED = 'another command has cancelled it, or the machine was restarted';
