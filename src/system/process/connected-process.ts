import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { delay } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import { openLog, readTail, sizeOf } from '../files/log-file.ts';
import { childEnvironment } from './environment.ts';
import { withoutInherited } from './inherited.ts';
import { spawnError } from './spawn-error.ts';

/** A helper process that serves the other end of a socket. */
export interface ConnectedProcess {
  readonly pid: number;
  /** Our end, to be handed to another process as one of its file descriptors and then destroyed here. */
  readonly socket: Socket;
}

export interface ConnectedOptions {
  /** File that gets what the process prints, appended; made with mode 0640. */
  readonly logPath: string;
  readonly cwd: string;
  /** How long it may take to put itself under a seccomp filter. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Starts a program in a separate session with one end of a pair of connected sockets as file descriptor 3, and waits
 * until it has put itself under a seccomp filter: programs that do so are done with all that can fail by then.
 *
 * The program sees the socket close when all processes that hold the other end are gone, however they ended.
 *
 * @throws {QemuError} `QEMU_LAUNCH_FAILED` when it ends or takes too long, `QEMU_NOT_INSTALLED`, `QEMU_ABORTED`.
 */
export async function spawnConnected(argv: readonly string[], options: ConnectedOptions): Promise<ConnectedProcess> {
  const [program = '', ...args] = argv;
  const { logPath, cwd } = options;
  const logStart = sizeOf(logPath);
  const log = openLog(logPath, 0o640);
  try {
    const child = withoutInherited(['ignore', log, log, 'pipe'], (stdio) =>
      spawn(program, args, { detached: true, stdio, cwd, env: childEnvironment() }),
    );
    try {
      await once(child, 'spawn');
    } catch (error) {
      throw spawnError(error, program, cwd);
    }
    try {
      await waitForFilter(child, program, logStart, options);
      const socket = child.stdio[3];
      if (!(socket instanceof Socket)) throw new QemuError('QEMU_LAUNCH_FAILED', `Cannot connect to "${program}"`);
      child.unref();
      return { pid: child.pid ?? 0, socket };
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  } finally {
    closeSync(log);
  }
}

async function waitForFilter(
  child: ChildProcess,
  program: string,
  logStart: number,
  { logPath, timeoutMs, signal }: ConnectedOptions,
): Promise<void> {
  // Inside a container this process has filters already.
  const before = seccompFilters('self');
  const deadline = performance.now() + timeoutMs;
  while (seccompFilters(String(child.pid)) <= before) {
    if (performance.now() > deadline) {
      throw new QemuError('QEMU_LAUNCH_FAILED', `Program "${program}" was not ready after ${timeoutMs / 1000} s`);
    }
    await delay(POLL_MS, signal);
    if (child.exitCode !== null || child.signalCode !== null) {
      const how = child.signalCode ?? `status ${child.exitCode}`;
      const said = readTail(logPath, logStart, LOG_TAIL_BYTES).trim();
      const cause = said === '' ? undefined : new Error(said);
      throw new QemuError('QEMU_LAUNCH_FAILED', `Program "${program}" ended with ${how}`, { cause });
    }
  }
}

const POLL_MS = 2;

const LOG_TAIL_BYTES = 4096;

/** `Seccomp_filters` of proc_pid_status(5), Linux 5.9; on older ones `Seccomp`, which is 2 with any filter. */
function seccompFilters(pid: string): number {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return -1;
  }
  const match = /^Seccomp_filters:\s*(\d+)$/m.exec(status) ?? /^Seccomp:\s*(\d+)$/m.exec(status);
  return Number(match?.[1] ?? 0);
}
