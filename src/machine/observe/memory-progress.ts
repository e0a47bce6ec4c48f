import type { BeginPhase } from '../../base/phases.ts';
import { readIoBytes } from '../../system/process/io-bytes.ts';
import type { MachineRef } from '../context.ts';
import { locate } from '../run/locate.ts';

/**
 * How far QEMU is with the memory of a snapshot. It answers nothing meanwhile, so what its process reads or writes is
 * counted.
 *
 * @param totalBytes undefined: not known.
 */
export function memoryProgress(
  { files }: MachineRef,
  way: 'read' | 'written',
  totalBytes?: number,
): Parameters<BeginPhase>[1] {
  const located = locate(files);
  const pid = located.kind === 'alive' ? located.process.pid : undefined;
  const now = (): number | undefined => (pid === undefined ? undefined : readIoBytes(pid)?.[way]);
  const before = now();
  return () => {
    const sum = now();
    if (before === undefined || sum === undefined) return { done: 0, total: 0 };
    const done = Math.max(0, sum - before);
    return totalBytes === undefined ? { done, total: 0 } : { done: Math.min(done, totalBytes), total: totalBytes };
  };
}
