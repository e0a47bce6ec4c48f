import { delay } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { Domain } from '../../domain/domain.ts';
import { JobError } from '../../domain/job-error.ts';

const LOOK_MS = 200;

/**
 * Runs a job that QEMU does not let be cancelled, and waits for its end however long it takes: QEMU answers nothing
 * meanwhile.
 *
 * @throws {JobError} `QEMU_COMMAND_FAILED`. @throws {QemuError} `QEMU_QMP_REFUSED`, `QEMU_QMP_CLOSED`.
 */
export async function runToEnd(
  domain: Domain,
  command: string,
  args: Readonly<Record<string, unknown>> & { readonly 'job-id': string },
): Promise<void> {
  const endless = { timeoutMs: Number.POSITIVE_INFINITY };
  const id = args['job-id'];
  await domain.run(command, args, endless);
  for (;;) {
    const job = (await domain.jobs(endless)).find((each) => each.id === id);
    if (!job) throw new QemuError('QEMU_COMMAND_FAILED', `Job "${id}" is gone: how it ended is not known`);
    if (job.isOver) {
      await job.dismiss(endless);
      if (job.error !== undefined) throw new JobError(id, job.error);
      return;
    }
    await delay(LOOK_MS);
  }
}

/** @throws {QemuError} `QEMU_LOCKED` while a job of whoever is at work on the disks: it would be lost, or stand in the way. */
export async function refuseDuringJobs(domain: Domain, what: string): Promise<void> {
  const job = (await domain.jobs()).find(({ isOver }) => !isOver);
  if (job === undefined) return;
  throw new QemuError(
    'QEMU_LOCKED',
    `Cannot ${what} of machine "${domain.name}": job "${job.id}" (${job.type}) is running`,
    {
      hint: `wait for its end, or end it: ${shellCommand('qemu-init', 'jobs', 'cancel', domain.name, job.id)}`,
    },
  );
}
