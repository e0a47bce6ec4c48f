import { readdirSync, readFileSync, statSync } from 'node:fs';
import { errorCode, QemuError } from '../errors.ts';
import { delay } from './delay.ts';

/** A living process, from `/proc` (proc(5)). */
export interface ProcessInfo {
  readonly pid: number;
  /** Field 22 of `/proc/PID/stat`: clock ticks since boot, as text. With the pid it names one process of this boot. */
  readonly startTime: string;
  /** Who it runs as (effective user id); root for one that the kernel protects from its own user. */
  readonly uid: number;
  /** One letter, such as `R`, `S`, `D` or `T`. */
  readonly state: string;
  /** Program and arguments; one empty text for a thread of the kernel. */
  readonly argv: readonly string[];
}

/**
 * What `/proc` tells of a process; undefined when it is gone, or is a zombie: a zombie still answers `kill(pid, 0)`
 * but holds no file, lock or socket any more.
 */
export function readProcess(pid: number): ProcessInfo | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  const stat = readProc(pid, 'stat');
  const argv = readArgv(pid);
  const uid = statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid;
  if (stat === undefined || argv === undefined || uid === undefined) return undefined;
  // The second field is the program's name in parentheses and may itself hold blanks and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const startTime = fields[19];
  if (state === undefined || startTime === undefined || DEAD_STATES.includes(state)) return undefined;
  return { pid, startTime, uid, state, argv };
}

/** Every living process whose arguments match, in the order of `/proc`. */
export function findProcesses(match: (argv: readonly string[]) => boolean): ProcessInfo[] {
  const found: ProcessInfo[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^[1-9]\d*$/.test(name)) continue;
    const argv = readArgv(Number(name));
    if (argv === undefined || !match(argv)) continue;
    const info = readProcess(Number(name));
    if (info !== undefined) found.push(info);
  }
  return found;
}

/** Whether that very process lives: a later one with the same pid has another start time. */
export function isSameProcess(pid: number, startTime: string): boolean {
  return readProcess(pid)?.startTime === startTime;
}

/**
 * Waits until the process is gone. False when it still lives after `timeoutMs`.
 *
 * @throws {QemuError} `QEMU_ABORTED` when the signal says so.
 */
export async function waitForExit(
  pid: number,
  startTime: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  let pauseMs = 2;
  while (isSameProcess(pid, startTime)) {
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return false;
    await delay(Math.min(pauseMs, leftMs), signal);
    pauseMs = Math.min(pauseMs * 1.5, 50);
  }
  return true;
}

/**
 * Sends a signal to that very process. False when it is gone.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` when it belongs to somebody else.
 */
export function sendSignal(pid: number, startTime: string, name: NodeJS.Signals): boolean {
  if (!isSameProcess(pid, startTime)) return false;
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false;
    throw new QemuError('QEMU_NOT_PERMITTED', `Cannot send ${name} to process ${pid}`, {
      cause: error,
      hint: 'the process belongs to another user: run as that user or as root',
    });
  }
}

/** Random UUID of this boot of the host (random(4)): start times of processes compare within one boot only. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** Zombie and dead, proc(5). */
const DEAD_STATES: readonly string[] = ['Z', 'X', 'x'];

function readArgv(pid: number): string[] | undefined {
  return readProc(pid, 'cmdline')?.replace(/\0$/, '').split('\0');
}

/** Undefined for a process that is gone, or ends while it is being read. */
function readProc(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return undefined;
  }
}
