import { readFileSync } from 'node:fs';

/** Bytes that a process has read and written by now. */
export interface IoBytes {
  readonly read: number;
  readonly written: number;
}

/**
 * What a process has read and written since its start, from whatever it was; undefined when that cannot be read, which
 * takes the rights to trace it.
 *
 * @see proc_pid_io(5)
 */
export function readIoBytes(pid: number): IoBytes | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/io`, 'latin1');
    const of = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1]);
    const [read, written] = [of('rchar'), of('wchar')];
    return Number.isNaN(read + written) ? undefined : { read, written };
  } catch {
    return undefined;
  }
}
