import { spawn } from 'node:child_process';
import { childEnvironment } from './environment.ts';
import { findProgram } from './find-program.ts';
import { withoutInherited } from './inherited.ts';
import type { ProcessEnd } from './launch-process.ts';
import { LineQueue } from './line-queue.ts';
import { spawnError } from './spawn-error.ts';

/** A program that this process talks to, line by line. */
export interface Talk {
  readonly lines: LineQueue;
  send(line: string): void;
  /** Closes its standard input. */
  endInput(): void;
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<ProcessEnd>;
  /** The last of what it has printed on standard error. */
  errors(): string;
}

const MOST_ERRORS = 64 * 1024;

/**
 * Starts a program in a session of its own, so that Ctrl-C is for this process alone. When this process ends, however that
 * happens, the program gets SIGTERM (PR_SET_PDEATHSIG, prctl(2), set by setpriv(1) where that is installed), and the end
 * of its input.
 *
 * @param env variables in addition to those of {@link childEnvironment}.
 * @throws {QemuError} as {@link spawnError}.
 */
export async function talkTo(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Talk> {
  const [program = ''] = argv;
  const leash = findProgram('setpriv') === undefined ? [] : ['setpriv', '--pdeathsig', 'TERM', '--'];
  const [file = '', ...args] = findProgram(program) === undefined ? argv : [...leash, ...argv];
  const child = withoutInherited(['pipe', 'pipe', 'pipe'], (stdio) =>
    spawn(file, args, { detached: true, stdio, env: childEnvironment(env) }),
  );
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw spawnError(new Error('no pipes'), program);
  let errors = '';
  stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = `${errors}${text}`.slice(-MOST_ERRORS);
  });
  // Its end is told by its output.
  for (const stream of [stdin, stderr]) stream.on('error', () => {});
  const lines = new LineQueue(stdout);
  const exited = new Promise<ProcessEnd>((resolve) => {
    child.once('exit', (exitCode, signal) => resolve({ exitCode: exitCode ?? undefined, signal: signal ?? undefined }));
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(spawnError(error, program)));
  });
  return {
    lines,
    send: (line) => void stdin.write(`${line}\n`),
    endInput: () => void stdin.end(),
    kill: (signal) => void child.kill(signal),
    exited,
    errors: () => errors,
  };
}
