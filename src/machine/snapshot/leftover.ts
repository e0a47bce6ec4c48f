import { Domain } from '../../domain/domain.ts';
import { parseJobId } from '../../domain/job-id.ts';
import { loadMachineConfig } from '../load-config.ts';
import type { Leftover } from '../work/work-kind.ts';
import { ENDS_MACHINE } from '../work/work-record.ts';
import { repairLeaks } from './repair-leaks.ts';
import { disksOfQemu, type SnapshotDisk } from './snapshot-disks.ts';
import { type OpenImages, withStoppedImages } from './stopped-images.ts';

/** The images of a machine whose work is to be set right. */
export async function withLeftover<T>(
  { host, target, client }: Leftover,
  pick: (disks: readonly SnapshotDisk[]) => readonly SnapshotDisk[],
  work: (images: OpenImages) => Promise<T>,
): Promise<T> {
  const config = loadMachineConfig(target.configPath, host.paths.defaultsFile);
  if (!client) {
    const result = await withStoppedImages(host, target, config, undefined, pick, work);
    await repairLeaks(host, config);
    return result;
  }
  const domain = new Domain(client, target.longName);
  for (const job of await domain.jobs()) {
    if (job.isOver && parseJobId(job.id)?.action.startsWith('snapshot-')) await job.dismiss();
  }
  return work({ domain, isRunning: true, disks: await disksOfQemu(domain, config, target.files) });
}

/** What is to be told when a machine was ended for work that did not start it again. */
export function stoppedFor({ target, record, client }: Leftover): string[] {
  if (client || record.data[ENDS_MACHINE] !== true) return [];
  return [`the machine was stopped for it; to start it: qemu-init start ${target.longName}`];
}
