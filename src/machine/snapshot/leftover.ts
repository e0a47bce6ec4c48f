import { Domain } from '../../domain/domain.ts';
import { parseJobId } from '../../domain/job-id.ts';
import { loadMachineConfig } from '../load-config.ts';
import type { Leftover } from '../work/work-kind.ts';
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
