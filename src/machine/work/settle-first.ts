import type { MachineContext, MachineRef } from '../context.ts';
import { hasWork } from './work-record.ts';

/** Longest that a look at a machine is held up by what an earlier command left. */
const LOOK_MS = 1_500;

/**
 * Sets right what a killed command left of work on the disks of a machine, before anything else is done with it: a
 * guest may be waiting for that. Without such work it costs one lstat(2). Never throws; what was found and done is
 * told.
 */
export async function settleFirst(host: MachineContext, target: MachineRef): Promise<void> {
  if (!hasWork(target.files)) return;
  const { settleQuietly } = await import('./settle.ts');
  await settleQuietly(host, target, LOOK_MS);
}
