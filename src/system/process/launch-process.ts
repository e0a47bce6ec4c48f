import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { Stream } from 'node:stream';
import { openLog } from '../files/log/log-file.ts';
import { childEnvironment } from './environment.ts';
import { withoutInherited } from './inherited.ts';
import { readProcess } from './process.ts';
import { spawnError } from './spawn-error.ts';

/** A process that outlives this one. */
export interface DetachedProcess {
  readonly pid: number;
  /** See `ProcessInfo.startTime`; empty when the process had ended before it could be read. */
  readonly startTime: string;
  /** Settles when it ends. Waiting for it does not keep this process alive. */
  readonly exited: Promise<ProcessEnd>;
}

/** How a process ended: one of the two is set. */
export interface ProcessEnd {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
}

/** Surroundings of {@link spawnDetached}. */
export interface DetachedOptions {
  /** File that gets what the process prints, appended; made with mode 0640. */
  readonly logPath: string;
  readonly cwd: string;
  /** File mode mask of the process, such as 0o077. */
  readonly umask?: number | undefined;
  /** The whole environment; default: {@link childEnvironment}. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Open file descriptors, or streams that have one, which the process gets as 3, 4, … */
  readonly fds?: readonly (number | Stream)[] | undefined;
}

/**
 * Starts a program in a separate session: no terminal, no standard input, no pipe to this process, which may end at any
 * time.
 *
 * @throws {QemuError} `QEMU_NOT_INSTALLED` when there is no such program, `QEMU_NOT_PERMITTED` when it may not be run,
 * `QEMU_IO` when the log cannot be opened or `cwd` is missing, `QEMU_LAUNCH_FAILED` for anything else.
 */
export async function spawnDetached(argv: readonly string[], options: DetachedOptions): Promise<DetachedProcess> {
  const [program = '', ...args] = argv;
  const log = openLog(options.logPath, 0o640);
  try {
    const child = withUmask(options.umask, () =>
      withoutInherited(['ignore', log, log, ...(options.fds ?? [])], (stdio) =>
        spawn(program, args, { detached: true, stdio, cwd: options.cwd, env: options.env ?? childEnvironment() }),
      ),
    );
    const exited = endOf(child);
    await started(child);
    child.unref();
    const pid = child.pid ?? 0;
    return { pid, startTime: readProcess(pid)?.startTime ?? '', exited };
  } catch (error) {
    throw spawnError(error, program, options.cwd);
  } finally {
    closeSync(log);
  }
}

/** A mask can only be set for this whole process; spawn() forks before it returns. */
function withUmask<T>(umask: number | undefined, action: () => T): T {
  if (umask === undefined) return action();
  const before = process.umask(umask);
  try {
    return action();
  } finally {
    process.umask(before);
  }
}

function endOf(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    child.once('exit', (exitCode, signal) => {
      resolve({ exitCode: exitCode ?? undefined, signal: signal ?? undefined });
    });
  });
}

function started(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
}
