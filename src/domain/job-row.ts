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

/** Reads the answer to `query-jobs`. */
export function parseJobs(answer: unknown): JobRow[] {
  return asArray(answer).map(parseJob);
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
