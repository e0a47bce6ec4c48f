import { delay } from '../../base/abort.ts';
import type { Domain } from '../../domain/domain.ts';
import { type Job, listJobs } from '../../domain/job.ts';
import { parseJobId } from '../../domain/job-id.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';

const PAUSE_MS = 10;

/**
 * Waits for the jobs that make empty images for copies, and takes them off QEMU's list: their command was killed, and
 * until then nobody can remove their nodes.
 */
export async function endCreations(
  domain: Domain,
  limits: ExecuteOptions & { readonly timeoutMs: number },
): Promise<void> {
  const deadline = performance.now() + limits.timeoutMs;
  for (;;) {
    const jobs = (await listJobs(domain, limits)).filter(isCreation);
    for (const job of jobs) if (job.isOver) await job.dismiss(limits);
    if (jobs.every(({ isOver }) => isOver) || performance.now() > deadline) return;
    await delay(PAUSE_MS, limits.signal);
  }
}

function isCreation({ id }: Job): boolean {
  return parseJobId(id)?.action === 'create';
}
