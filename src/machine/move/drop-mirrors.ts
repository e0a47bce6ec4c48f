import { delay } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import type { Domain } from '../../domain/domain.ts';
import { endJob, listJobs } from '../../domain/job.ts';
import { parseJobId } from '../../domain/job-id.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import { dropNodes } from '../disks/pivot/drop-nodes.ts';

/** The node by which a QEMU reaches the image of a disk at another place. */
export function nodeOf(jobId: string): string {
  return `${parseJobId(jobId)?.device}-move`;
}

/** An error of the other side ends a job by itself, and for a moment it can be neither cancelled nor dismissed. */
const END_MS = 30_000;
const LOOK_MS = 20;

/** Ends the jobs whatever they are at, also those that were never begun. Safe to repeat. @throws {QemuError} `QEMU_TIMEOUT` */
export async function dropMirrors(domain: Domain, ids: readonly string[], options: ExecuteOptions): Promise<void> {
  const deadline = performance.now() + END_MS;
  for (;;) {
    const left = (await listJobs(domain, options)).filter(({ id }) => ids.includes(id));
    if (left.length === 0) break;
    if (performance.now() > deadline) throw new QemuError('QEMU_TIMEOUT', 'The jobs that copy disks do not end');
    for (const { id } of left) await endJob(domain, id);
    await delay(LOOK_MS, options.signal);
  }
  await dropNodes(domain, ids.map(nodeOf), options);
}
