import { readFileSync } from 'node:fs';

/** USER_HZ of Linux on every architecture that matters here (proc(5), sysconf(_SC_CLK_TCK)). */
const TICKS_PER_SECOND = 100;

/** What a process has used since its start. */
export interface ProcessUsage {
  /** Seconds of processor time outside and inside of the kernel; with KVM that of the guest is outside. */
  readonly userSeconds: number;
  readonly systemSeconds: number;
  /** Memory that is in use now. */
  readonly residentBytes: number;
}

/** What a process has used; undefined when it is gone. */
export function readUsage(pid: number): ProcessUsage | undefined {
  const stat = fieldsOf(`/proc/${pid}/stat`);
  const status = readText(`/proc/${pid}/status`);
  if (!stat || status === undefined) return undefined;
  return {
    ...secondsIn(stat),
    residentBytes: Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024,
  };
}

/** Seconds of processor time of one thread of a process; undefined when it is gone. */
export function readThreadSeconds(pid: number, thread: number): number | undefined {
  const stat = fieldsOf(`/proc/${pid}/task/${thread}/stat`);
  if (!stat) return undefined;
  const { userSeconds, systemSeconds } = secondsIn(stat);
  return userSeconds + systemSeconds;
}

/** Fields 3 and later of stat (proc_pid_stat(5)): the name before them may contain anything. */
function fieldsOf(path: string): string[] | undefined {
  const text = readText(path);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** Fields 14 and 15 are utime and stime. */
function secondsIn(fields: readonly string[]): Pick<ProcessUsage, 'userSeconds' | 'systemSeconds'> {
  return {
    userSeconds: Number(fields[11] ?? 0) / TICKS_PER_SECOND,
    systemSeconds: Number(fields[12] ?? 0) / TICKS_PER_SECOND,
  };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
