import { type ChildProcess, spawn } from 'node:child_process';
import { abortError } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import { childEnvironment } from './environment.ts';
import { findProgram } from './find-program.ts';
import { withoutInherited } from './inherited.ts';
import { spawnError } from './spawn-error.ts';

export { findProgram } from './find-program.ts';

/** What a program printed and how it ended. */
export interface ExecResult {
  readonly stdout: string;
  readonly stderr: string;
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
}

/** Surroundings and limits of {@link run}. */
export interface ExecOptions {
  /** After this time the program and all that it started are killed (default: 10 s). */
  readonly timeoutMs?: number | undefined;
  /** What it is called when it is too slow, in place of its file: what runs it may be timeout(1). */
  readonly name?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Text for its standard input (default: empty). */
  readonly input?: string | undefined;
  /** Variables in addition to those of {@link childEnvironment}. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly cwd?: string | undefined;
  /** Receives what it prints on standard output, as it comes. */
  readonly onOutput?: ((chunk: Buffer) => void) | undefined;
}

/**
 * Runs a program, without a shell, to its end. A status other than 0 is not an error.
 *
 * A background process that keeps its output open is not waited for. Of what it prints the first 16 MiB of each stream
 * are kept.
 *
 * @throws {QemuError} `QEMU_NOT_INSTALLED` when there is no such program, `QEMU_NOT_PERMITTED` when it may not be run,
 * `QEMU_IO` when `cwd` is missing, `QEMU_LAUNCH_FAILED` when it cannot be started for another reason, `QEMU_TIMEOUT`
 * and `QEMU_ABORTED` after having killed its whole process group.
 */
export async function run(file: string, args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  const { timeoutMs = 10_000, name = file, signal } = options;
  if (signal?.aborted) throw abortError(signal);
  const child = start(file, args, options);
  const output = collect(child, options);
  const over = new AbortController();
  const abort = (): void => over.abort(abortError(signal));
  const deadline = setTimeout(() => over.abort(timeoutError(name, timeoutMs)), timeoutMs);
  signal?.addEventListener('abort', abort);
  try {
    const end = await endOf(child, over.signal);
    return { ...output(), ...end };
  } catch (error) {
    throw error instanceof QemuError ? error : spawnError(error, file, options.cwd);
  } finally {
    clearTimeout(deadline);
    signal?.removeEventListener('abort', abort);
  }
}

function start(file: string, args: readonly string[], options: ExecOptions): ChildProcess {
  try {
    return withoutInherited([options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'], (stdio) =>
      // A separate process group can be killed as a whole.
      spawn(file, args, { detached: true, stdio, cwd: options.cwd, env: childEnvironment(options.env) }),
    );
  } catch (error) {
    throw spawnError(error, file, options.cwd);
  }
}

/** What a program printed is in the pipe when it exits: only a background process can write later. */
const OUTPUT_AFTER_EXIT_MS = 200;
/** Until then it could still make a file that the caller removes. One that the kernel does not let end is not waited for. */
const END_AFTER_KILL_MS = 5000;

function endOf(child: ChildProcess, over: AbortSignal): Promise<Pick<ExecResult, 'exitCode' | 'signal'>> {
  return new Promise((resolve, reject) => {
    over.addEventListener('abort', () => {
      const isKilled = killGroup(child);
      const fail = (): void => reject(over.reason);
      if (!isKilled) return fail();
      child.once('exit', fail);
      setTimeout(fail, END_AFTER_KILL_MS).unref();
    });
    child.once('error', reject);
    child.once('exit', () => setTimeout(closeOutput, OUTPUT_AFTER_EXIT_MS, child).unref());
    child.once('close', (exitCode, signal) => {
      resolve({ exitCode: exitCode ?? undefined, signal: signal ?? undefined });
    });
  });
}

/** What is kept of each stream: a program that never stops talking must not fill the memory. */
const MOST_OUTPUT_BYTES = 16 * 1024 * 1024;

function collect(
  child: ChildProcess,
  { input, onOutput }: Pick<ExecOptions, 'input' | 'onOutput'>,
): () => { stdout: string; stderr: string } {
  if (onOutput) child.stdout?.on('data', onOutput);
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  for (const name of ['stdout', 'stderr'] as const) {
    let left = MOST_OUTPUT_BYTES;
    child[name]?.on('data', (chunk: Buffer) => {
      if (left > 0) chunks[name].push(chunk.subarray(0, left));
      left -= chunk.length;
    });
  }
  // A program may end without reading its input (EPIPE): its status shows whether that was right.
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  return () => ({
    stdout: Buffer.concat(chunks.stdout).toString(),
    stderr: Buffer.concat(chunks.stderr).toString(),
  });
}

function closeOutput(child: ChildProcess): void {
  child.stdout?.destroy();
  child.stderr?.destroy();
}

/** @returns whether it is going to end. */
function killGroup(child: ChildProcess): boolean {
  closeOutput(child);
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return false;
  try {
    return process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
    return false;
  }
}

function timeoutError(name: string, timeoutMs: number): QemuError {
  return new QemuError('QEMU_TIMEOUT', `Program "${name}" did not end within ${timeoutMs / 1000} s`, {
    hint: 'it was killed',
  });
}

/**
 * The command line that ends a program after that many seconds even when this process is killed first: timeout(1) goes
 * in front. Without that tool the program runs as it is.
 */
export function withTimeoutCommand(argv: readonly string[], seconds: number): readonly [string, ...string[]] {
  const [program = '', ...args] = argv;
  const timeout = findProgram('timeout');
  return timeout === undefined ? [program, ...args] : [timeout, '-s', 'KILL', String(seconds), program, ...args];
}
