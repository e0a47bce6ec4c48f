import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { openLog } from '../files/log/log-file.ts';
import { qemuEnvironment } from './environment.ts';
import { findProgram } from './find-program.ts';
import { withoutInherited } from './inherited.ts';
import type { ProcessEnd } from './launch-process.ts';
import { spawnError } from './spawn-error.ts';

/** A process that ends with this one. */
export interface Child {
  readonly pid: number;
  readonly exited: Promise<ProcessEnd>;
  /** Our end of the socket that the process has as that descriptor. */
  readonly socket: (descriptor: number) => Socket | undefined;
  readonly kill: (signal: NodeJS.Signals) => void;
}

/** What the process gets: a socket to us, nothing (/dev/null), or an open descriptor of ours. */
export type Descriptor = 'socket' | 'nothing' | number;

/** Surroundings of {@link spawnChild}. */
export interface ChildOptions {
  /** Gets what the process prints, appended. */
  readonly logPath: string;
  readonly cwd: string;
  /** Its descriptors 3, 4, … */
  readonly descriptors: readonly Descriptor[];
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
  const log = openLog(options.logPath, 0o600);
  try {
    const child = withoutInherited(['ignore', log, log, ...options.descriptors.map(stdioOf)], (stdio) =>
      spawn(file, args, { cwd: options.cwd, stdio, env: qemuEnvironment({ argv, asCaller: true }) }),
    );
    const exited = new Promise<ProcessEnd>((resolve) => {
      child.once('exit', (exitCode, signal) =>
        resolve({ exitCode: exitCode ?? undefined, signal: signal ?? undefined }),
      );
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(spawnError(error, program, options.cwd)));
    });
    return {
      pid: child.pid ?? 0,
      exited,
      socket: (descriptor) => {
        const stream = child.stdio.at(descriptor);
        return stream instanceof Socket ? stream : undefined;
      },
      kill: (signal) => void child.kill(signal),
    };
  } finally {
    closeSync(log);
  }
}

function stdioOf(descriptor: Descriptor): 'pipe' | 'ignore' | number {
  if (typeof descriptor === 'number') return descriptor;
  return descriptor === 'socket' ? 'pipe' : 'ignore';
}
