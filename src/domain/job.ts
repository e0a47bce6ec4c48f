import { abortError, checkTimeout, delay } from '../base/abort.ts';
import { QemuError } from '../base/errors.ts';
import type { ExecuteOptions } from '../qmp/command.ts';
import { JobError } from './job-error.ts';
import { parseJobId } from './job-id.ts';
import { type JobRow, parseJob, parseJobs } from './job-row.ts';
import type { Monitor } from './monitor.ts';

/** How to watch a job. */
export interface ProgressOptions {
  /** Milliseconds between two queries of a running job (default: 500). */
  readonly intervalMs?: number | undefined;
  /** Cancels the job. */
  readonly signal?: AbortSignal | undefined;
}

/** The outcome of a job that an earlier command started. */
export interface SettledJob {
  readonly job: Job;
  /**
   * Of `running` and `pending`, which waits for a decision, nothing was changed; the others are no longer listed by
   * QEMU.
   */
  readonly outcome: 'running' | 'pending' | 'done' | 'failed';
}

const DEFAULT_INTERVAL_MS = 500;
const FIRST_LOOK_MS = 20;
/** A job notices a cancellation between two pieces of its work. */
const CANCEL_MS = 30_000;

/**
 * One job inside QEMU as it was when it was asked for (`query-jobs`): a block job, the making of an image, a snapshot.
 *
 * @example
 * import { Fleet } from 'qemu-init';
 *
 * const fleet = Fleet.open();
 * const domain = await fleet.domain(fleet.get('web'));
 * try {
 *   for (const job of await domain.jobs()) {
 *     for await (const { done, total } of job.progress()) console.log(job.id, done, total);
 *   }
 * } finally {
 *   await domain.close();
 * }
 */
export class Job implements JobRow {
  readonly id: string;
  /** `mirror`, `commit`, `backup`, `create`, `snapshot-save` … */
  readonly type: string;
  /** `running`, `paused`, `ready`, `pending`, `concluded` … */
  readonly status: string;
  /** Progress in QEMU's own measure, for many jobs bytes: {@link done} of {@link total}, which may grow. */
  readonly done: number;
  readonly total: number;
  /** Why it failed, once it has. */
  readonly error: string | undefined;
  readonly #monitor: Monitor;

  constructor(monitor: Monitor, row: JobRow) {
    const { id, type, status, done, total, error } = row;
    this.#monitor = monitor;
    this.id = id;
    this.type = type;
    this.status = status;
    this.done = done;
    this.total = total;
    this.error = error;
  }

  /** Whether it does nothing more, and only waits to be dismissed. */
  get isOver(): boolean {
    return this.status === 'concluded';
  }

  /** The job as it is now; undefined when QEMU has it no longer. */
  async refresh(options?: ExecuteOptions): Promise<Job | undefined> {
    return (await listJobs(this.#monitor, options)).find(({ id }) => id === this.id);
  }

  /**
   * The job again and again, until it waits for a decision (`ready`, `pending`), is over (`concluded`) or is gone. To
   * stop listening leaves it running; the signal cancels it.
   *
   * @throws {JobError} `QEMU_COMMAND_FAILED` when it has failed or was cancelled.
   * @throws {QemuError} `QEMU_ABORTED` after the signal, when the job has ended; and what asking QEMU throws.
   */
  async *progress(options: ProgressOptions = {}): AsyncGenerator<Job, void, undefined> {
    const { intervalMs = DEFAULT_INTERVAL_MS, signal } = options;
    checkTimeout(intervalMs, 'intervalMs');
    for (let pauseMs = Math.min(FIRST_LOOK_MS, intervalMs); ; pauseMs = Math.min(2 * pauseMs, intervalMs)) {
      if (signal?.aborted) {
        await endJob(this.#monitor, this.id);
        throw abortError(signal);
      }
      const now = await this.refresh();
      if (!now) return;
      yield now;
      if (now.error !== undefined) throw new JobError(this.id, now.error);
      if (['ready', 'pending', 'concluded'].includes(now.status)) return;
      await delay(pauseMs, signal).catch(() => {});
    }
  }

  /**
   * Ends the job, whatever it has done, and returns when it has ended and QEMU lists it no longer.
   *
   * @throws {QemuError} `QEMU_QMP_REFUSED` for one that is over or gone; `QEMU_TIMEOUT` when it goes on after 30 s or
   * the time limit; `QEMU_ABORTED`.
   */
  async cancel(options: Pick<ExecuteOptions, 'timeoutMs' | 'signal'> = {}): Promise<void> {
    const { timeoutMs = CANCEL_MS, signal } = options;
    const deadline = performance.now() + checkTimeout(timeoutMs);
    await this.#monitor.run('job-cancel', { id: this.id }, { timeoutMs, signal });
    for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(2 * pauseMs, DEFAULT_INTERVAL_MS)) {
      const now = await this.refresh({ timeoutMs: Math.max(1, deadline - performance.now()), signal });
      if (now?.isOver) return this.dismiss({ signal });
      if (!now) return;
      if (performance.now() > deadline) throw lateError(this.id, timeoutMs);
      await delay(pauseMs, signal);
    }
  }

  /** Lets a `pending` job take effect. @throws {QemuError} `QEMU_QMP_REFUSED` for any other. */
  async finalize(options?: ExecuteOptions): Promise<void> {
    await this.#monitor.run('job-finalize', { id: this.id }, options);
  }

  /** Takes a job that is over off QEMU's list. It is not an error if the job is gone. */
  dismiss(options?: ExecuteOptions): Promise<void> {
    return dismissJob(this.#monitor, this.id, options);
  }
}

/** All jobs, also those that are over and not dismissed. @throws {QemuError} as {@link parseJobs}, and what asking throws. */
export async function listJobs(monitor: Monitor, options?: ExecuteOptions): Promise<Job[]> {
  return parseJobs(await monitor.run('query-jobs', undefined, options)).map((row) => new Job(monitor, row));
}

/** Takes a job that is over off QEMU's list; one that is gone, or not over, stays as it is. */
export async function dismissJob(monitor: Monitor, id: string, options?: ExecuteOptions): Promise<void> {
  try {
    await monitor.run('job-dismiss', { id }, options);
  } catch (error) {
    if (!(error instanceof QemuError) || error.code !== 'QEMU_QMP_REFUSED') throw error;
  }
}

/**
 * Ends a job that may have ended by itself, and takes it off QEMU's list. @throws {QemuError} as {@link Job.cancel}.
 */
export async function endJob(monitor: Monitor, id: string): Promise<void> {
  try {
    await new Job(monitor, parseJob({ id })).cancel();
  } catch (error) {
    if (!(error instanceof QemuError) || error.code !== 'QEMU_QMP_REFUSED') throw error;
    await dismissJob(monitor, id);
  }
}

/** Reports the outcome of the jobs that this package has started, and takes those that are over off QEMU's list. */
export async function settleJobs(monitor: Monitor, options?: ExecuteOptions): Promise<SettledJob[]> {
  const settled: SettledJob[] = [];
  for (const job of await listJobs(monitor, options)) {
    if (!parseJobId(job.id)) continue;
    if (job.isOver) await job.dismiss(options);
    settled.push({ job, outcome: outcomeOf(job) });
  }
  return settled;
}

function outcomeOf({ isOver, status, error }: Job): SettledJob['outcome'] {
  if (isOver) return error === undefined ? 'done' : 'failed';
  return status === 'pending' ? 'pending' : 'running';
}

function lateError(id: string, timeoutMs: number): QemuError {
  return new QemuError('QEMU_TIMEOUT', `Job "${id}" did not end within ${Math.round(timeoutMs)} ms of being cancelled`);
}
