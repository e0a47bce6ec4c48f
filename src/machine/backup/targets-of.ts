import type { Target } from '../copy/transaction.ts';
import type { DiskPlan, PointPlan } from './decide.ts';

/** The images of a plan. */
export function targetsOf({ disks }: Pick<PointPlan, 'disks'>): Target[] {
  return disks.map(({ source, file, since, track, backing }: DiskPlan) => ({
    id: source.key.toLowerCase(),
    source: source.node,
    file,
    format: 'qcow2',
    sizeBytes: source.sizeBytes,
    since,
    track,
    backing,
  }));
}
