import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statSync } from 'node:fs';
import { delay } from '../../base/abort.ts';
import { errorCode, QemuError } from '../../base/errors.ts';

/** A living process, from `/proc` (proc(5)). */
export interface ProcessInfo {
  readonly pid: number;
  /** Field 22 of `/proc/PID/stat`: clock ticks since boot, as text. With the pid it names one process of this boot. */
  readonly startTime: string;
  /** Effective user id. */
  readonly uid: number;
  /**
   * Whether real, effective, saved and file system user id are the same. They are not in a set-user-ID program, which
   * another user may have started with arguments of his choice.
   */
  readonly hasOneUid: boolean;
  /** Whether it is in the pid namespace of `/proc`: containers' processes are seen from the host, too. */
  readonly isOfThisNamespace: boolean;
  /** One letter, such as `R`, `S`, `D` or `T`; of another thread when the first one has exited. */
  readonly state: string;
  /** Program and arguments; one empty text for a thread of the kernel. */
  readonly argv: readonly string[];
  /** A thread that lives; the pid itself unless the first thread has exited. */
  readonly thread: number;
}

/** The file that a process executes. */
export interface Executable {
  /** Device and inode as `DEV:INO`: they stay when an upgrade replaces the file under its name. */
  readonly id: string;
  /** As the kernel reports it, with ` (deleted)` at the end for a file that has been replaced. */
  readonly path: string;
  /** Whether the file is set-user-ID or set-group-ID. */
  readonly isSetId: boolean;
}

/**
 * What `/proc` reports of a process; undefined when it is gone, or is a zombie: a zombie still answers `kill(pid, 0)`
 * but holds no file, lock or socket any more. A process whose first thread has exited lives as long as another thread
 * does, though the kernel then calls it a zombie and shows no command line (pthread_exit(3)).
 */
export function readProcess(pid: number): ProcessInfo | undefined {
  return describe(pid, readArgv);
}

function describe(pid: number, argvOf: (path: string) => string[] | undefined): ProcessInfo | undefined {
  const found = readLiving(pid);
  if (found === undefined) return undefined;
  const { startTime, state, thread } = found;
  const argv = argvOf(`${pid}/task/${thread}`);
  const status = readProc(`${pid}/status`);
  if (argv === undefined || status === undefined) return undefined;
  const uids = fieldOf(status, 'Uid');
  return {
    pid,
    startTime,
    uid: Number(uids[1]),
    hasOneUid: new Set(uids).size === 1,
    // A pid for each namespace from that of /proc inwards; kernels before 4.1 have no such line.
    isOfThisNamespace: fieldOf(status, 'NSpid').length <= 1,
    state,
    argv,
    thread,
  };
}

/**
 * Every living process whose arguments match, in the order of `/proc`. Of the arguments the first 128 KiB are looked
 * at.
 */
export function findProcesses(match: (argv: readonly string[]) => boolean): ProcessInfo[] {
  const found: ProcessInfo[] = [];
  for (const name of namesIn('/proc')) {
    if (!/^[1-9]\d*$/.test(name)) continue;
    const argv = readFirstArgs(name);
    if (argv === undefined || !match(argv)) continue;
    const info = describe(Number(name), readFirstArgs);
    if (info !== undefined) found.push(info);
  }
  return found;
}

/** Whether any process has one of these users, as its real, its effective or another one of its identities. */
export function hasProcessOf(users: ReadonlySet<number>): boolean {
  if (users.size === 0) return false;
  return namesIn('/proc').some((name) => {
    if (!/^[1-9]\d*$/.test(name)) return false;
    return fieldOf(readProc(`${name}/status`) ?? '', 'Uid').some((uid) => users.has(Number(uid)));
  });
}

/** Whether that very process lives: a later one with the same pid has another start time. */
export function isSameProcess(pid: number, startTime: string): boolean {
  return readLiving(pid)?.startTime === startTime;
}

/** The program of a process; undefined when it is gone, or the caller may not know (proc_pid_exe(5)). */
export function readExecutable({ pid, thread }: Pick<ProcessInfo, 'pid' | 'thread'>): Executable | undefined {
  const link = `/proc/${pid}/task/${thread}/exe`;
  try {
    // Follows to the file itself, whatever has its name now.
    const { dev, ino, mode } = statSync(link, { bigint: true });
    return { id: `${dev}:${ino}`, path: readlinkSync(link), isSetId: (mode & 0o6000n) !== 0n };
  } catch {
    return undefined;
  }
}

/** Whether a process has another root folder, by chroot(2) or a container. False when the caller may not know. */
export function hasOtherRoot({ pid, thread }: Pick<ProcessInfo, 'pid' | 'thread'>): boolean {
  try {
    const other = statSync(`/proc/${pid}/task/${thread}/root/.`, { bigint: true });
    const own = statSync('/', { bigint: true });
    return other.dev !== own.dev || other.ino !== own.ino;
  } catch {
    return false;
  }
}

/** The process that has started another one; undefined when that is gone. */
export function parentOf(pid: number): number | undefined {
  return readStat(`${pid}`)?.parent;
}

/**
 * Waits until the process is gone. False when it still lives after `timeoutMs`.
 *
 * @throws {QemuError} `QEMU_ABORTED` when the signal aborts.
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
 * The process is identified by pid and start time, checked immediately before the signal. Both survive execve(2), so a
 * process cannot escape by executing another program. Node.js has no pidfd_open(2); for the pid to belong to another process by
 * then, all pids would have to be used up within microseconds.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` when it belongs to another user, or `/proc` shows another pid namespace.
 */
export function sendSignal(pid: number, startTime: string, name: NodeJS.Signals): boolean {
  if (!isSameProcess(pid, startTime)) return false;
  if (readlinkSync('/proc/self') !== String(process.pid)) {
    const hint = '/proc is that of another pid namespace: mount one for this namespace, mount -t proc proc /proc';
    throw new QemuError('QEMU_NOT_PERMITTED', `Cannot send ${name} to process ${pid}`, { hint });
  }
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

/** Inode of the first pid namespace of every boot: PROC_PID_INIT_INO of linux/proc_ns.h. */
const FIRST_PID_NAMESPACE = 0xef_ff_ff_fc;

/**
 * Identifies the scope in which a pid and a start time mean one process, in hexadecimal digits and dashes: on a host
 * the random UUID of this boot (random(4)), in a container the number of its pid namespace.
 *
 * In containers the manager (systemd-nspawn, LXC) mounts a file over the boot's UUID in `/proc`. A unit with a separate
 * `/proc` (ProtectProc=) sees the host's UUID, while a shell in the same container does not. Start times count from the
 * boot of the host in either.
 */
export function bootId(): string {
  const { ino } = statSync('/proc/self/ns/pid');
  if (ino !== FIRST_PID_NAMESPACE) return ino.toString(16);
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** Zombie and dead, proc(5). */
const DEAD_STATES: readonly string[] = ['Z', 'X', 'x'];

interface Living {
  readonly startTime: string;
  readonly state: string;
  readonly thread: number;
}

function readLiving(pid: number): Living | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  const { state, startTime } = readStat(`${pid}`) ?? {};
  if (state === undefined || startTime === undefined) return undefined;
  if (!DEAD_STATES.includes(state)) return { startTime, state, thread: pid };
  for (const name of namesIn(`/proc/${pid}/task`)) {
    const other = readStat(`${pid}/task/${name}`);
    if (other && !DEAD_STATES.includes(other.state)) return { startTime, state: other.state, thread: Number(name) };
  }
  return undefined;
}

interface Stat {
  readonly state: string;
  readonly parent: number;
  readonly startTime: string;
}

function readStat(path: string): Stat | undefined {
  const text = readProc(`${path}/stat`);
  if (text === undefined) return undefined;
  // The second field is the program's name in parentheses and may itself hold blanks and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent] = fields;
  const startTime = fields[19];
  if (state === undefined || parent === undefined || startTime === undefined) return undefined;
  return { state, parent: Number(parent), startTime };
}

function readArgv(path: string): string[] | undefined {
  const text = readProc(`${path}/cmdline`);
  return text === undefined ? undefined : wordsOf(text);
}

/**
 * More than our QEMU command lines have before `[custom]`. Every user can have many processes with megabytes of
 * arguments.
 */
const FIRST_ARGS_BYTES = 128 * 1024;
let firstArgs: Buffer | undefined;

function readFirstArgs(path: string): string[] | undefined {
  firstArgs ??= Buffer.allocUnsafe(FIRST_ARGS_BYTES);
  let file: number | undefined;
  try {
    file = openSync(`/proc/${path}/cmdline`, 'r');
    let length = 0;
    for (let read = -1; read !== 0 && length < FIRST_ARGS_BYTES; length += read) {
      read = readSync(file, firstArgs, length, FIRST_ARGS_BYTES - length, null);
    }
    return wordsOf(firstArgs.toString('utf8', 0, length));
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function wordsOf(text: string): string[] {
  return text.replace(/\0$/, '').split('\0');
}

/** The values of a line of `/proc/PID/status`; none when there is no such line. */
function fieldOf(status: string, name: string): string[] {
  return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]?.split('\t') ?? [];
}

/** Undefined for a process that is gone, or ends while it is being read. */
function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return undefined;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
