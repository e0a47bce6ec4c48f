import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { type EndOptions, endsWithin } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import type { QmpClient } from '../../qmp/client.ts';
import { DrainedSocket } from '../../system/files/drained-socket.ts';
import { fileError } from '../../system/files/file-error.ts';
import { readTail } from '../../system/files/log/log-file.ts';
import { removeWhole } from '../../system/files/remove-tree.ts';
import { type Child, type Descriptor, spawnChild } from '../../system/process/child.ts';
import type { ProcessEnd } from '../../system/process/launch-process.ts';
import { describeState } from '../control/run-state.ts';
import { launchError } from '../start/launch-error.ts';
import { type Visit, visitGuest } from '../stop/power-button.ts';
import { CONSOLE_FD, MONITOR_FD } from './arguments.ts';

/** A process that SIGKILL does not end in this time hangs in the kernel. */
const KILL_MS = 60_000;
/** How long QEMU has to be gone after it hung up. */
const LAST_WORDS_MS = 10_000;
/** What a QEMU has that its guest did not end. */
const QUIT_MS = 15_000;
/** Pauses between looks at what has become of a guest that was asked to go down. */
const FIRST_LOOK_MS = 500;
const LOOK_MS = 2_000;
const LOG_BYTES = 1024 * 1024;

/** What is run. */
export interface Launched {
  /** Program and arguments. */
  readonly argv: readonly string[];
  /** QEMU's name among them, after its wrapper. */
  readonly binary: string;
}

/** One QEMU of a machine in code, from its start to its end, with the temporary folder that it works in. */
export class Run {
  readonly #argv: readonly string[];
  readonly #binary: string;
  readonly console: Duplex | undefined;
  /** Resolves when QEMU has ended and its folder is gone. */
  readonly finished: Promise<void>;
  readonly #child: Child;
  readonly #logPath: string;
  #client: QmpClient | undefined;
  #end: ProcessEnd | undefined;
  #log: string | undefined;

  private constructor(launched: Launched, child: Child, dir: string, logPath: string) {
    const console = child.socket(CONSOLE_FD);
    this.#argv = launched.argv;
    this.#binary = launched.binary;
    this.console = console && new DrainedSocket(console);
    this.#child = child;
    this.#logPath = logPath;
    const forget = removeAtExit(dir);
    this.finished = child.exited.then((end) => {
      this.#log = readTail(logPath, 0, LOG_BYTES);
      this.#end = end;
      removeWhole(dir);
      forget();
    });
  }

  /**
   * Starts QEMU.
   *
   * @param descriptors what it has as 3, 4, …
   * @throws {QemuError} `QEMU_NOT_INSTALLED`, `QEMU_NOT_PERMITTED`, `QEMU_IO`; nothing is left over then.
   */
  static async start(launched: Launched, tempRoot: string, descriptors: readonly Descriptor[]): Promise<Run> {
    const dir = makeFolder(tempRoot);
    const logPath = join(dir, 'log');
    try {
      return new Run(launched, await spawnChild(launched.argv, { logPath, cwd: dir, descriptors }), dir, logPath);
    } catch (error) {
      removeWhole(dir);
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** How it ended; undefined while it runs. */
  get end(): ProcessEnd | undefined {
    return this.#end;
  }

  /** What QEMU printed, at most the last 1 MiB. */
  get log(): string {
    return this.#log ?? readTail(this.#logPath, 0, LOG_BYTES);
  }

  /**
   * Opens the client on the inherited monitor and waits until QEMU has answered a command. When that fails QEMU has
   * ended.
   *
   * @throws {LaunchError} when it ends instead or does not answer.
   * @throws {QemuError} `QEMU_ABORTED`
   */
  async connect(client: QmpClient, timeoutMs: number, signal: AbortSignal): Promise<void> {
    this.#client = client;
    try {
      await this.#open(client, timeoutMs, signal);
    } catch (cause) {
      // QEMU hangs up a moment before it is gone: what matters is how it ended, not that the connection did.
      const isLate = signal.aborted || (cause instanceof QemuError && cause.code === 'QEMU_TIMEOUT');
      const hasEnded = !isLate && (await this.endsWithin({ timeoutMs: LAST_WORDS_MS }));
      await this.kill();
      if (signal.aborted) throw launchAborted(cause);
      const end = hasEnded ? this.#end : undefined;
      throw launchError({ argv: this.#argv, binary: this.#binary, timeoutMs, end, output: this.log, cause });
    }
  }

  /**
   * Presses the power button and waits. A guest that does not go is ended by `quit`, so that its disks are whole.
   *
   * @returns what went wrong.
   * @throws {QemuError} `QEMU_ABORTED`
   */
  async powerDown(timeoutMs: number, signal: AbortSignal | undefined): Promise<string | undefined> {
    const deadline = performance.now() + timeoutMs;
    const left = (): number => Math.max(0, deadline - performance.now());
    const first = await this.#visit(true, timeoutMs, signal);
    if (typeof first === 'string') {
      // A guest may be faster to go down than QEMU's answer is to come.
      if (await this.endsWithin({ timeoutMs: Math.min(left(), LAST_WORDS_MS), signal })) return this.#crash();
      await this.quit(QUIT_MS, signal);
      return first;
    }
    let visit: Visit | string = first;
    for (let lookMs = FIRST_LOOK_MS; ; lookMs = Math.min(2 * lookMs, LOOK_MS)) {
      if (typeof visit !== 'string' && visit.done === 'off') return this.quit(QUIT_MS, signal);
      const isDeaf = typeof visit !== 'string' && visit.done === 'deaf';
      if (isDeaf || left() === 0) break;
      if (await this.endsWithin({ timeoutMs: Math.min(lookMs, left()), signal })) return this.#crash();
      // One that was just woken up may not have listened yet.
      visit = await this.#visit(first.done === 'roused', Math.max(1, Math.min(left(), LAST_WORDS_MS)), signal);
    }
    await this.quit(QUIT_MS, signal);
    return typeof visit !== 'string' && visit.done === 'deaf'
      ? `there is no guest to shut down: it is ${describeState(visit.state)}`
      : lateText(timeoutMs);
  }

  /**
   * Sends `quit`, or without a monitor SIGTERM, and waits.
   *
   * @returns what went wrong.
   * @throws {QemuError} `QEMU_ABORTED`
   */
  async quit(timeoutMs: number, signal: AbortSignal | undefined): Promise<string | undefined> {
    const deadline = performance.now() + timeoutMs;
    await this.#sendQuit(timeoutMs, signal);
    const isGone = await this.endsWithin({ timeoutMs: Math.max(0, deadline - performance.now()), signal });
    return isGone ? this.#crash() : lateText(timeoutMs);
  }

  /** Looks at the guest, and presses the button when it is due. A text: what went wrong. */
  async #visit(isDue: boolean, timeoutMs: number, signal: AbortSignal | undefined): Promise<Visit | string> {
    if (!this.#client) return 'without a monitor its power button cannot be pressed';
    try {
      return await visitGuest(this.#client, { isDue, powerButton: true, timeoutMs, signal, trace: () => {} });
    } catch (error) {
      if (error instanceof QemuError && error.code === 'QEMU_TIMEOUT') return lateText(timeoutMs);
      return `its power button could not be pressed (${error instanceof Error ? error.message : error})`;
    }
  }

  /** What went wrong with a QEMU that was to end by itself; SIGTERM is from us. */
  #crash(): string | undefined {
    const signal = this.#end?.signal;
    return signal === undefined || signal === 'SIGTERM' ? undefined : `it was ended by ${signal}`;
  }

  /** Never throws: all that matters is whether QEMU ends. */
  async #sendQuit(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    try {
      if (!this.#client) this.#child.kill('SIGTERM');
      else await this.#client.execute('quit', undefined, { timeoutMs, signal });
    } catch {
      // The caller closed the connection, or QEMU is already ending.
      if (signal?.aborted !== true) this.#child.kill('SIGTERM');
    }
  }

  /**
   * Ends QEMU with SIGKILL and waits for its end. May be called again, and after its end.
   *
   * @throws {QemuError} `QEMU_STOP_FAILED` when it hangs in the kernel.
   */
  async kill(): Promise<void> {
    if (!this.#end) this.#child.kill('SIGKILL');
    if (!(await this.endsWithin({ timeoutMs: KILL_MS }))) {
      throw new QemuError('QEMU_STOP_FAILED', `QEMU (process ${this.pid}) cannot be killed`);
    }
    await this.#client?.close();
  }

  /** Whether QEMU ends in time. @throws {QemuError} `QEMU_ABORTED` */
  endsWithin(options: EndOptions): Promise<boolean> {
    return endsWithin(this.finished, options);
  }

  async #open(client: QmpClient, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const stream = this.#child.socket(MONITOR_FD);
    if (!stream) throw new QemuError('QEMU_QMP_CONNECT', 'There is no socket to the monitor');
    const ended = new AbortController();
    void this.finished.then(() => ended.abort());
    const stop = AbortSignal.any([signal, ended.signal]);
    const deadline = performance.now() + timeoutMs;
    await client.open({ kind: 'stream', stream }, { timeoutMs, signal: stop });
    // QEMU greets before it has made its devices, and may end right after.
    const left = Math.max(1, deadline - performance.now());
    await client.execute('query-status', undefined, { timeoutMs: left, signal: stop });
  }
}

/** The error of a launch that its signal, or a kill, has ended. */
export function launchAborted(cause: unknown): QemuError {
  return new QemuError('QEMU_ABORTED', 'Launching was interrupted', { cause });
}

function lateText(timeoutMs: number): string {
  return `it did not shut down within ${timeoutMs} ms`;
}

/** A program that ends before its QEMU is gone leaves no folder either; the kernel sees to QEMU itself. */
function removeAtExit(dir: string): () => void {
  if (doomed.size === 0) process.on('exit', removeDoomed);
  doomed.add(dir);
  return () => {
    doomed.delete(dir);
    if (doomed.size === 0) process.off('exit', removeDoomed);
  };
}

const doomed = new Set<string>();

function removeDoomed(): void {
  for (const dir of doomed) removeWhole(dir);
}

function makeFolder(root: string): string {
  try {
    return mkdtempSync(join(root, 'qemu-init-'));
  } catch (error) {
    throw fileError('make a folder in', root, error);
  }
}
