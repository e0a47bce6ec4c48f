import type { Duplex } from 'node:stream';
import { errorCode, QemuError } from '../../base/errors.ts';
import type { QmpClient } from '../../qmp/client.ts';
import { readSmallFile } from '../../system/files/files.ts';
import { readTail, sizeOf } from '../../system/files/log/log-file.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { type DetachedProcess, type ProcessEnd, spawnDetached } from '../../system/process/launch-process.ts';
import {
  isSameProcess,
  parentOf,
  readExecutable,
  readProcess,
  sendSignal,
  waitForExit,
} from '../../system/process/process.ts';
import { connectOwn } from '../control/own-monitor.ts';
import { launchError, launchHint } from './launch-error.ts';

export interface LaunchRequest {
  /** Program and arguments. */
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Open descriptors, or sockets, that QEMU gets as 3, 4, … */
  readonly fds: readonly (number | Duplex)[];
  /** Its name among the arguments, after the wrapper that changes the user. */
  readonly binary: string;
  /** RUNAS. */
  readonly runAs: string | undefined;
  /** The log gets QEMU's own output, its socket is asked. */
  readonly files: MachinePaths;
  /** How long QEMU may take to answer its first command. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** An interruption does not end QEMU: its guest may run already. */
  readonly keepInterrupted?: boolean | undefined;
  /** Called as soon as there is a process, before it has answered. */
  readonly onSpawn: (process: DetachedProcess) => void;
  /** What is to be set before anything else, as soon as QEMU answers. */
  readonly onAnswer: (client: QmpClient) => Promise<void>;
}

/** QEMU that has answered its first commands. */
export interface Launched {
  readonly pid: number;
  readonly startTime: string;
  /** See `RunRecord.executable`. */
  readonly executable: string | undefined;
}

const LOG_TAIL_BYTES = 16 * 1024;
/**
 * Errors of a connection that QEMU has not kept, or not made. Whatever else is wrong, it lives and was not to be
 * understood.
 */
const HUNG_UP: readonly (string | undefined)[] = [
  'QEMU_ABORTED',
  'QEMU_IO',
  'QEMU_QMP_CLOSED',
  'QEMU_QMP_CONNECT',
  'QEMU_QMP_GREETING',
  'QEMU_QMP_STATE',
];

/** How long QEMU has to be gone after it hung up; on a host that is short of everything it takes a while. */
const LAST_WORDS_MS = 10_000;

/**
 * Starts QEMU and waits until it answers a command. A greeting is not enough: QEMU greets before it has made its
 * devices, and may end milliseconds later. When anything goes wrong QEMU is gone when this throws.
 *
 * @throws {LaunchError} with what QEMU printed, when it ends or does not answer in time.
 * @throws {QemuError} `QEMU_ABORTED`, `QEMU_NOT_INSTALLED`.
 */
export async function launch(request: LaunchRequest): Promise<Launched> {
  const logStart = sizeOf(request.files.log);
  const qemu = await spawnDetached(request.argv, {
    logPath: request.files.log,
    cwd: request.cwd,
    env: request.env,
    fds: request.fds,
    // Sockets and the pid file are for this user alone.
    umask: 0o077,
  });
  try {
    request.onSpawn(qemu);
  } catch (error) {
    await killNow(qemu);
    throw error;
  }
  const ended = new AbortController();
  let end: ProcessEnd | undefined;
  const watch = qemu.exited.then((how) => {
    end = how;
    ended.abort();
  });
  watch.catch(() => {});
  const signal = request.signal ? AbortSignal.any([request.signal, ended.signal]) : ended.signal;
  let hasAnswered = false;
  try {
    await talk(request, signal, () => {
      hasAnswered = true;
    });
    // A guest may be down already.
    if (!isSameProcess(qemu.pid, qemu.startTime)) throw new QemuError('QEMU_QMP_CLOSED', 'QEMU is gone');
    return answering(qemu, request.files);
  } catch (error) {
    if (request.signal?.aborted) {
      if (!request.keepInterrupted) await killNow(qemu);
      throw new QemuError('QEMU_ABORTED', 'Starting was interrupted', { cause: error });
    }
    // QEMU hangs up a moment before it is gone: what matters is how it ended, not that the connection did.
    if (HUNG_UP.includes(errorCode(error))) end ??= await endWithin(qemu, LAST_WORDS_MS);
    // What comes now is our own doing, and no end of its own.
    const ownEnd = end;
    await killNow(qemu);
    if (ownEnd === undefined && hasAnswered) throw error;
    const output = readTail(request.files.log, logStart, LOG_TAIL_BYTES);
    const { argv, binary, runAs, timeoutMs } = request;
    const hint = launchHint(output, { runAs, logPath: request.files.log, argv });
    throw launchError({ argv, binary, timeoutMs, end: ownEnd, output, cause: error, hint });
  }
}

/** Waits for the answer to a first command, and sends what is due then. */
async function talk(
  { files, timeoutMs, onAnswer }: LaunchRequest,
  signal: AbortSignal,
  onFirst: () => void,
): Promise<void> {
  const client = await connectOwn(files, timeoutMs, signal);
  try {
    await client.execute('query-status', undefined, { timeoutMs, signal });
    onFirst();
    await onAnswer(client);
  } finally {
    await client.close();
  }
}

/**
 * The process that answers: QEMU itself, also when TGTARCH is a script that waits for it. What QEMU has written into
 * its pid file counts only for a descendant of the process that was started.
 */
function answering(started: DetachedProcess, files: MachinePaths): Launched {
  const written = Number(readSmallFile(files.pidFile)?.trim());
  const found = descendsFrom(written, started.pid) ? readProcess(written) : undefined;
  const { pid, startTime, thread } = found ?? { ...started, thread: started.pid };
  return { pid, startTime, executable: readExecutable({ pid, thread })?.id };
}

function descendsFrom(pid: number, ancestor: number): boolean {
  for (let each: number | undefined = pid; each !== undefined && each > 1; each = parentOf(each)) {
    if (each === ancestor) return true;
  }
  return false;
}

async function endWithin(qemu: DetachedProcess, timeoutMs: number): Promise<ProcessEnd | undefined> {
  if (!(await waitForExit(qemu.pid, qemu.startTime, timeoutMs))) return undefined;
  // Waiting for `exited` does not keep this process alive, which would end here, with nothing said.
  const alive = setInterval(() => {}, timeoutMs);
  try {
    return await qemu.exited;
  } finally {
    clearInterval(alive);
  }
}

async function killNow(qemu: DetachedProcess): Promise<void> {
  if (sendSignal(qemu.pid, qemu.startTime, 'SIGKILL')) await waitForExit(qemu.pid, qemu.startTime, 10_000);
}
