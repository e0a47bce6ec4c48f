import { readFileSync } from 'node:fs';

/**
 * Bytes of memory that a process has, in memory, in swap space and in huge pages; undefined when that cannot be read.
 *
 * @see proc_pid_status(5)
 */
export function readMemoryUse(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'latin1');
    const kib = (name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0);
    const sum = kib('VmRSS') + kib('VmSwap') + kib('HugetlbPages');
    return sum === 0 ? undefined : sum * 1024;
  } catch {
    return undefined;
  }
}
