import type { Domain } from '../../domain/domain.ts';
import { endJob } from '../../domain/job.ts';
import { parseJobId } from '../../domain/job-id.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import { dropNodes } from '../disks/pivot/drop-nodes.ts';

/** The node by which a QEMU reaches the image of a disk at another place. */
export function nodeOf(jobId: string): string {
  return `${parseJobId(jobId)?.device}-move`;
}

/** Ends the jobs whatever they are at, also those that were never begun. Safe to repeat. */
export async function dropMirrors(domain: Domain, ids: readonly string[], options: ExecuteOptions): Promise<void> {
  for (const id of ids) await endJob(domain, id);
  await dropNodes(domain, ids.map(nodeOf), options);
}
