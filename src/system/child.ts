import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { fileError } from './file-error.ts';
import { findProgram } from './find-program.ts';
import type { ProcessEnd } from './launch-process.ts';
import { spawnError } from './spawn-error.ts';

/** A process that ends with this one. */
export interface Child {
  readonly pid: number;
  readonly exited: Promise<ProcessEnd>;
  /** This end of the sockets that the process has as descriptors 3, 4, … */
  readonly sockets: readonly Duplex[];
  readonly kill: (signal: NodeJS.Signals) => void;
}

export interface ChildOptions {
  /** Gets what the process prints, appended. */
  readonly logPath: string;
  readonly cwd: string;
  /** How many sockets the process gets. */
  readonly sockets: number;
  /** Open descriptors that it gets behind those. */
  readonly fds: readonly number[];
}

/**
 * Starts a program that does not outlive this process: the kernel kills it when this one ends, however that happens
 * (PR_SET_PDEATHSIG, prctl(2), set by setpriv(1) where that is installed).
 *
 * @throws {QemuError} `QEMU_NOT_INSTALLED`, `QEMU_NOT_PERMITTED`, `QEMU_IO`.
 */
export async function spawnChild(argv: readonly string[], options: ChildOptions): Promise<Child> {
  const [program = ''] = argv;
  const leash = findProgram('setpriv') === undefined ? [] : ['setpriv', '--pdeathsig', 'KILL', '--'];
  const [file = '', ...args] = findProgram(program) === undefined ? argv : [...leash, ...argv];
  const log = openLog(options.logPath);
  try {
    const pipes = Array.from({ length: options.sockets }, () => 'pipe' as const);
    const child = spawn(file, args, { cwd: options.cwd, stdio: ['ignore', log, log, ...pipes, ...options.fds] });
    const exited = new Promise<ProcessEnd>((resolve) => {
      child.once('exit', (exitCode, signal) =>
        resolve({ exitCode: exitCode ?? undefined, signal: signal ?? undefined }),
      );
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(spawnError(error, program, options.cwd)));
    });
    const sockets = child.stdio.slice(3, 3 + options.sockets).filter((stream) => stream instanceof Socket);
    return { pid: child.pid ?? 0, exited, sockets, kill: (signal) => void child.kill(signal) };
  } finally {
    closeSync(log);
  }
}

function openLog(path: string): number {
  try {
    return openSync(path, 'a', 0o600);
  } catch (error) {
    throw fileError('open log', path, error);
  }
}
