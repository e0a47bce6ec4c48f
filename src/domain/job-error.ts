import { QemuError } from '../base/errors.ts';
import { oneLine } from '../base/text.ts';

/** How a job failed: it was cancelled, ran out of space, or anything else. */
export type JobFailure = 'cancelled' | 'nospace' | 'failed';

/** A job has not done its work. Code `QEMU_COMMAND_FAILED`. */
export class JobError extends QemuError {
  override readonly name = 'JobError';
  readonly jobId: string;
  readonly reason: JobFailure;

  /** @param text QEMU's sentence; undefined when all that is known is that the job was cancelled. */
  constructor(jobId: string, text: string | undefined) {
    const reason = failureOf(text);
    const message =
      reason === 'cancelled' ? `Job "${jobId}" was cancelled` : `Job "${jobId}" failed: ${oneLine(text ?? '')}`;
    const hint = reason === 'nospace' ? 'free some space where it writes, and start it again' : undefined;
    super('QEMU_COMMAND_FAILED', message, { hint });
    this.jobId = jobId;
    this.reason = reason;
  }
}

/** QEMU gives the sentences of strerror(3) for ECANCELED and ENOSPC. */
export function failureOf(text: string | undefined): JobFailure {
  if (text === undefined || /^Operation cancell?ed$/.test(text)) return 'cancelled';
  return text.includes('No space left on device') ? 'nospace' : 'failed';
}
