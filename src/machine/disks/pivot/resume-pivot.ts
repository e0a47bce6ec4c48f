import type { Resumption } from '../../work/resumption.ts';
import { runningDisks } from '../disk-access.ts';
import { finishPivot } from './finish-pivot.ts';

/** Goes on with a disk that is to go on in another image, from wherever its job is. */
export async function resumePivot({ host, target, config, work, options }: Resumption): Promise<void> {
  await finishPivot(host, target, config, runningDisks(host, target), work, options);
}
