import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, readFileSync, unlinkSync } from 'node:fs';
import { createConnection, createServer, type Server, Socket } from 'node:net';
import { delay } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import { fileError } from '../files/file-error.ts';
import { openLog, readTail, sizeOf } from '../files/log/log-file.ts';
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
  /**
   * For a program that waits for connections itself: a free path in a folder of ours, where its socket is until this
   * process has connected to it. No other process can.
   */
  readonly listenAt?: string | undefined;
}

/**
 * Starts a program in a separate session with one end of a pair of connected sockets as file descriptor 3, or with the
 * socket where that connection waits for it, and waits until it has put itself under a seccomp filter: programs that do
 * so are done with all that can fail by then.
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
    const start = (end: 'pipe' | number): ChildProcess =>
      withoutInherited(['ignore', log, log, end], (stdio) =>
        spawn(program, args, { detached: true, stdio, cwd, env: childEnvironment() }),
      );
    const { child, connection } =
      options.listenAt === undefined
        ? { child: start('pipe'), connection: undefined }
        : await whileListening(options.listenAt, start);
    try {
      await once(child, 'spawn');
    } catch (error) {
      connection?.destroy();
      throw spawnError(error, program, cwd);
    }
    try {
      await waitForFilter(child, program, logStart, options);
      const socket = connection ?? child.stdio[3];
      if (!(socket instanceof Socket)) throw new QemuError('QEMU_LAUNCH_FAILED', `Cannot connect to "${program}"`);
      child.unref();
      return { pid: child.pid ?? 0, socket };
    } catch (error) {
      connection?.destroy();
      child.kill('SIGKILL');
      throw error;
    }
  } finally {
    closeSync(log);
  }
}

/** Starts a program with a listening socket in whose queue a connection waits. */
async function whileListening(
  path: string,
  start: (fd: number) => ChildProcess,
): Promise<{ readonly child: ChildProcess; readonly connection: Socket }> {
  const server = createServer();
  server.listen(path);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw fileError('make socket', path, error);
  }
  // All of it before this process looks for connections itself, which would take this one.
  const connection = createConnection(path);
  connection.on('error', () => {});
  unlinkSync(path);
  try {
    return { child: start(descriptorOf(server)), connection };
  } finally {
    server.close();
  }
}

/** Node passes sockets on by their descriptors, but has no public name for that of a server. */
function descriptorOf(server: Server): number {
  const handle: unknown = Reflect.get(server, '_handle');
  const fd: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
  if (typeof fd === 'number' && fd >= 0) return fd;
  throw new QemuError('QEMU_LAUNCH_FAILED', 'This version of Node.js does not pass on a listening socket');
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
