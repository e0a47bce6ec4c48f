import { abortError, checkTimeout, startDeadline } from '../base/abort.ts';
import { QemuError } from '../base/errors.ts';
import type { QmpEvent } from '../qmp/event.ts';
import { dismissJob, endJob } from './job.ts';
import { JobError } from './job-error.ts';
import type { Monitor } from './monitor.ts';

/** How long a job may take. */
export interface JobOptions {
  /** Milliseconds (default: five minutes); `Infinity` for no limit. */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait. The job goes on, unless `cancelOnAbort` is set. */
  readonly signal?: AbortSignal | undefined;
  /** The signal ends the job as well, and the call returns when it has ended. */
  readonly cancelOnAbort?: boolean | undefined;
}

/** A command about one job. */
export interface JobCommand {
  readonly jobId: string;
  readonly command: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly options: JobOptions;
}

const DEFAULT_TIMEOUT_MS = 300_000;

const ENDS = ['BLOCK_JOB_COMPLETED', 'BLOCK_JOB_CANCELLED'];

/**
 * Starts a job and waits until it is ready, or has ended by itself, which a commit of an inner layer does.
 *
 * @throws {QemuError} `QEMU_QMP_REFUSED`; `QEMU_COMMAND_FAILED` when it ends with an error or is cancelled;
 * `QEMU_TIMEOUT` and `QEMU_ABORTED` leave it running.
 */
export async function startJob(monitor: Monitor, job: JobCommand): Promise<'ready' | 'ended'> {
  const { signal } = job.options;
  if (signal?.aborted) throw abortError(signal);
  // A job that is over stays listed until it is dismissed, so that a later command can ask how it went.
  const args = { ...job.args, 'job-id': job.jobId, 'auto-dismiss': false };
  const event = await nextOf(monitor, { ...job, args }, ['BLOCK_JOB_READY', ...ENDS], 'get ready');
  if (event.event === 'BLOCK_JOB_READY') return 'ready';
  await dismissJob(monitor, job.jobId);
  requireSuccess(job.jobId, event);
  return 'ended';
}

/**
 * Sends the command that completes a job and waits for its end.
 *
 * @throws {QemuError} `QEMU_QMP_REFUSED`; `QEMU_COMMAND_FAILED` when it ends with an error or is cancelled;
 * `QEMU_TIMEOUT`, `QEMU_ABORTED`.
 */
export async function completeJob(monitor: Monitor, job: JobCommand): Promise<void> {
  const event = await nextOf(monitor, job, ENDS, 'end');
  await dismissJob(monitor, job.jobId);
  requireSuccess(job.jobId, event);
}

/**
 * Sends the command that cancels a job and waits for its end. QEMU calls the end of a job that was ready COMPLETED,
 * that of another CANCELLED.
 *
 * @throws {QemuError} `QEMU_QMP_REFUSED`; `QEMU_COMMAND_FAILED` when it ends with an error; `QEMU_TIMEOUT`,
 * `QEMU_ABORTED`.
 */
export async function cancelJob(monitor: Monitor, job: JobCommand): Promise<void> {
  const event = await nextOf(monitor, job, ENDS, 'end');
  await dismissJob(monitor, job.jobId);
  failOnError(job.jobId, event);
}

/**
 * Listens, sends, and waits for the first of the events that is about this job: it may be over before the command is
 * answered, and other jobs send the same events.
 */
async function nextOf(
  monitor: Monitor,
  { jobId, command, args, options }: JobCommand,
  names: readonly string[],
  goal: string,
): Promise<QmpEvent> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
  checkTimeout(timeoutMs);
  const events = monitor.events((event) => names.includes(event.event) && event.data['device'] === jobId, { signal });
  let isLate = false;
  const timer = startDeadline(timeoutMs, () => {
    isLate = true;
    events.close();
  });
  try {
    if (signal?.aborted) throw abortError(signal);
    // Only a job known to be ours may be ended with the wait: the id may belong to another job, which QEMU then
    // reports.
    await monitor.run(command, args, { timeoutMs, signal: options.cancelOnAbort === true ? undefined : signal });
    const { done, value } = await events.next();
    if (done !== true) return value;
    if (!isLate) throw endedError(jobId, events.end?.error);
  } catch (error) {
    if (options.cancelOnAbort === true && isAbort(error)) await endJob(monitor, jobId);
    if (!isLate) throw error;
  } finally {
    clearTimeout(timer);
    events.close();
  }
  throw lateError(jobId, goal, timeoutMs);
}

function isAbort(error: unknown): boolean {
  return error instanceof QemuError && error.code === 'QEMU_ABORTED';
}

function endedError(jobId: string, cause: QemuError | undefined): QemuError {
  return new QemuError('QEMU_QMP_CLOSED', `Connection ended before job "${jobId}" did`, { cause });
}

function lateError(jobId: string, goal: string, timeoutMs: number): QemuError {
  return new QemuError('QEMU_TIMEOUT', `Job "${jobId}" did not ${goal} within ${Math.round(timeoutMs)} ms`, {
    hint: 'the job may go on by itself; see Domain.jobs(), and Job.cancel() to end it',
  });
}

function requireSuccess(jobId: string, event: QmpEvent): void {
  failOnError(jobId, event);
  if (event.event === 'BLOCK_JOB_CANCELLED') {
    throw new JobError(jobId, undefined);
  }
}

/** BLOCK_JOB_COMPLETED with an `error` is a failure (QEMU QMP Reference Manual, BLOCK_JOB_COMPLETED). */
function failOnError(jobId: string, { data }: QmpEvent): void {
  const { error } = data;
  if (typeof error === 'string') throw new JobError(jobId, error);
}
