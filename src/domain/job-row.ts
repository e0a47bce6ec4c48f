import { QemuError } from '../base/errors.ts';
import { asArray, asNumber, asRecord, asText, optionalText } from '../base/guards.ts';

/** A job inside QEMU as it was when it was asked for, as data. */
export interface JobRow {
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
}

/** More than a machine with all its disks ever has. Each is asked about, or ended, in a round trip. */
const MOST_JOBS = 1000;

/**
 * Reads the answer to `query-jobs`. Pure.
 *
 * @throws {QemuError} `QEMU_QMP_BAD_REPLY` when a QEMU whose guest has captured it has two jobs of one id, or no end of
 * them.
 */
export function parseJobs(answer: unknown): JobRow[] {
  const jobs = asArray(answer)
    .slice(0, MOST_JOBS + 1)
    .map(parseJob);
  if (jobs.length > MOST_JOBS) throw badJobs(`there are more than ${MOST_JOBS}`);
  if (new Set(jobs.map(({ id }) => id)).size < jobs.length) throw badJobs('two have the same id');
  return jobs;
}

function badJobs(why: string): QemuError {
  return new QemuError('QEMU_QMP_BAD_REPLY', `Bad answer to "query-jobs": ${why}`);
}

/** Reads one job of it. */
export function parseJob(value: unknown): JobRow {
  const job = asRecord(value);
  return {
    id: asText(job['id']),
    type: asText(job['type']),
    status: asText(job['status']),
    done: asNumber(job['current-progress']),
    total: asNumber(job['total-progress']),
    error: optionalText(job['error']),
  };
}

/** How far a job is: `42 %`, `done`, `failed: No space left on device`. */
export function jobProgress({ status, done, total, error }: JobRow): string {
  if (error !== undefined) return `failed: ${error}`;
  const percent = total > 0 ? `, ${Math.floor((100 * Math.min(done, total)) / total)} %` : '';
  return status === 'concluded' ? 'done' : `${status}${percent}`;
}
