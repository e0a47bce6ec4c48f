import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { QemuError } from '../../errors.ts';
import { QmpClient } from '../../qmp/client.ts';
import { type Child, type Descriptor, spawnChild } from '../../system/child.ts';
import { DrainedSocket } from '../../system/drained-socket.ts';
import { fileError } from '../../system/file-error.ts';
import type { ProcessEnd } from '../../system/launch-process.ts';
import { readTail } from '../../system/log-file.ts';
import { DEFAULT_END_MS, type EndOptions, endsWithin } from '../ends-within.ts';
import { launchError } from '../launch-error.ts';
import { MonitoredMachine, type ShutdownOptions } from '../monitored-machine.ts';
import type { PassedFd } from '../passed-fd.ts';
import { CONSOLE_FD, codeArguments, FIRST_PASSED_FD, MONITOR_FD } from './arguments.ts';

/** What a machine in code begins with. */
export interface MachineOptions {
  /** QEMU program, name or path; `qemu-system-x86_64` if not given. */
  readonly binary?: string | undefined;
  /** Arguments of QEMU, before those that are added later. */
  readonly args?: readonly string[] | undefined;
  /** Program and arguments that QEMU is run by, such as `['strace', '-f']`. */
  readonly wrapper?: readonly string[] | undefined;
  /** Name for messages. */
  readonly name?: string | undefined;
  /** Folder in which the machine's temporary folder is made; the system's if not given. */
  readonly tempDir?: string | undefined;
}

/** How to launch. */
export interface LaunchOptions {
  /** Milliseconds until QEMU must have answered its first command; 60 s if not given. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const LAUNCH_MS = 60_000;
/** A process that SIGKILL does not end in this time hangs in the kernel. */
const KILL_MS = 60_000;
const LOG_BYTES = 1024 * 1024;

/**
 * A QEMU that a program makes for itself: arguments in, process out. Its monitor and its console are sockets that QEMU
 * inherits, so that there is no file for others to connect to, and it never outlives this process. For machines that are
 * to go on by themselves see {@link ConfiguredMachine} and {@link Fleet}.
 *
 * Descriptors can only be passed at launch, with {@link addFd} and {@link inheritFd}: Node cannot send one over an open
 * socket (SCM_RIGHTS), so QMP's `getfd` and `add-fd` have nothing to receive.
 *
 * @example
 * await using machine = new Machine({ args: ['-m', '64', '-S'] });
 * await machine.launch();
 * await machine.command('query-status');
 */
export class Machine extends MonitoredMachine {
  readonly name: string;
  readonly #binary: string;
  readonly #wrapper: readonly string[];
  readonly #tempRoot: string;
  readonly #args: string[];
  readonly #passed: (PassedFd | number)[] = [];
  #machineType: string | undefined;
  #console: { readonly device: string | undefined; readonly index: number } | undefined;
  #hasMonitor = true;
  #run: Run | undefined;
  #launching: { readonly stop: AbortController; readonly settled: Promise<void> } | undefined;

  constructor(options: MachineOptions = {}) {
    super();
    this.name = options.name ?? 'machine';
    this.#binary = options.binary ?? 'qemu-system-x86_64';
    this.#wrapper = [...(options.wrapper ?? [])];
    this.#tempRoot = options.tempDir ?? tmpdir();
    this.#args = [...(options.args ?? [])];
  }

  /** The arguments given so far, without those that launching adds. */
  get args(): readonly string[] {
    return this.#args;
  }

  /** Adds arguments. @throws {QemuError} `QEMU_USAGE` while it runs. */
  addArgs(...args: readonly string[]): void {
    this.#requireStopped('add arguments');
    this.#args.push(...args);
  }

  /** Machine type, as for `-machine`. @throws {QemuError} `QEMU_USAGE` while it runs. */
  setMachine(type: string): void {
    this.#requireStopped('set the machine type');
    this.#machineType = type;
  }

  /**
   * Gives the machine a serial console on {@link console}.
   *
   * @param device QEMU device such as `isa-serial`; the board's own serial port if not given.
   * @param index number of serial ports before it, which lead nowhere.
   * @throws {QemuError} `QEMU_USAGE` while it runs.
   */
  setConsole(device?: string, index = 0): void {
    this.#requireStopped('set the console');
    this.#console = { device, index };
  }

  /**
   * Switches the monitor off: then only signals end QEMU, and a launch is done when the process runs.
   *
   * @throws {QemuError} `QEMU_USAGE` while it runs.
   */
  setMonitor(enabled: boolean): void {
    this.#requireStopped('switch the monitor');
    this.#hasMonitor = enabled;
  }

  /**
   * Passes an open descriptor as a member of an fd set, which QEMU reaches as `/dev/fdset/N`, at launch and later
   * (`blockdev-add`). A writable image needs two: one opened for reading and writing, one for reading only.
   *
   * @param fd may be closed here after the launch.
   * @param fdset number of the set.
   * @param opaque text for `query-fdsets`.
   * @returns this, for chaining.
   * @throws {QemuError} `QEMU_USAGE` while it runs.
   */
  addFd(fd: number, fdset: number, opaque: string): this {
    this.#requireStopped('pass a descriptor');
    this.#passed.push({ fd, fdset, opaque });
    return this;
  }

  /**
   * Passes an open descriptor as it is, such as that of a tap or a socket. This stands in for QMP's `getfd`: arguments and
   * commands that take the name of a descriptor take its number as well, as in `netdev_add type=tap fd=5`.
   *
   * @returns the number that it has in QEMU.
   * @throws {QemuError} `QEMU_USAGE` while it runs.
   */
  inheritFd(fd: number): number {
    this.#requireStopped('pass a descriptor');
    return FIRST_PASSED_FD + this.#passed.push(fd) - 1;
  }

  /**
   * Starts QEMU and waits until it answers a command. A machine that has ended may be launched again.
   *
   * @throws {LaunchError} with status, arguments and output when it ends instead or does not answer; nothing is left behind
   * then.
   * @throws {QemuError} `QEMU_USAGE` while it runs, `QEMU_NOT_INSTALLED`, `QEMU_ABORTED`, `QEMU_IO`.
   */
  async launch(options: LaunchOptions = {}): Promise<void> {
    this.#requireStopped('launch');
    const stop = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
    const launched = this.#launch(options.timeoutMs ?? LAUNCH_MS, signal);
    const over = (): void => {
      this.#launching = undefined;
    };
    this.#launching = { stop, settled: launched.then(over, over) };
    await launched;
  }

  /**
   * Ends QEMU and waits for its end: by `quit`, or without a monitor by SIGTERM, which pulls the guest's plug; with
   * `graceful` by the power button. QEMU has ended when this returns or throws, but for an abort. Does nothing for a
   * machine that is not running.
   *
   * @throws {QemuError} `QEMU_STOP_FAILED` when QEMU had to be killed or crashed, though `hard` was not given, or when the
   * guest did not go down, though `graceful` was; `QEMU_ABORTED`.
   */
  async shutdown(options: ShutdownOptions = {}): Promise<void> {
    const { hard = false, graceful = false, timeoutMs = DEFAULT_END_MS, signal } = options;
    const run = this.#run;
    if (!run || run.end || hard || this.#launching) return this.kill();
    const deadline = performance.now() + timeoutMs;
    await (graceful ? this.#pressPowerButton(run, timeoutMs, signal) : this.#quit(run, timeoutMs, signal));
    const isGone = await endsWithin(run.finished, { timeoutMs: Math.max(0, deadline - performance.now()), signal });
    await this.kill();
    const failure = isGone ? crashOf(run) : `it did not go down in ${timeoutMs} ms and had to be killed`;
    if (failure === undefined) return;
    throw new QemuError('QEMU_STOP_FAILED', `Machine "${this.name}" was not shut down: ${failure}`);
  }

  async kill(): Promise<void> {
    if (this.#launching) {
      this.#launching.stop.abort();
      await this.#launching.settled;
    }
    if (this.#run) await this.#end(this.#run);
  }

  /**
   * Waits for the end of QEMU. Never ends it.
   *
   * @returns whether it has ended.
   * @throws {QemuError} `QEMU_ABORTED`
   */
  async wait(options: EndOptions = {}): Promise<boolean> {
    return this.#run === undefined || endsWithin(this.#run.finished, options);
  }

  isRunning(): boolean {
    return this.#run !== undefined && this.#run.end === undefined;
  }

  get pid(): number | undefined {
    return this.isRunning() ? this.#run?.child.pid : undefined;
  }

  get exitCode(): number | undefined {
    return this.#run?.end?.exitCode;
  }

  get exitSignal(): string | undefined {
    return this.#run?.end?.signal;
  }

  get log(): string {
    return this.#run?.log ?? (this.#run ? readTail(this.#run.logPath, 0, LOG_BYTES) : '');
  }

  /**
   * The console of {@link setConsole}. It is read whether or not anybody listens, so that the guest never waits; the last
   * 1 MiB is kept for whoever comes late. It ends with QEMU.
   *
   * @throws {QemuError} `QEMU_USAGE` when the machine has none or was never launched.
   */
  get console(): Duplex {
    if (this.#run?.console) return this.#run.console;
    throw new QemuError('QEMU_USAGE', `Machine "${this.name}" has no console`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }

  protected whyNoMonitor(): QemuError {
    if (!this.#hasMonitor) return new QemuError('QEMU_USAGE', `The monitor of machine "${this.name}" is switched off`);
    return new QemuError('QEMU_NOT_RUNNING', `Machine "${this.name}" is not running`);
  }

  async #launch(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const argv = [...this.#wrapper, this.#binary, ...this.#arguments()];
    this.forgetMonitor();
    const run = await this.#spawn(argv);
    this.#run = run;
    void run.finished.then(() => {
      if (this.#run === run) this.forgetMonitor();
    });
    try {
      if (this.#hasMonitor) await this.#connect(run, timeoutMs, signal);
      if (signal.aborted) throw signal.reason;
    } catch (cause) {
      // QEMU hangs up a moment before it is gone: what matters is how it ended, not that the connection did.
      const isLate = signal.aborted || (cause instanceof QemuError && cause.code === 'QEMU_TIMEOUT');
      const hasEnded = !isLate && (await endsWithin(run.finished, { timeoutMs: LAST_WORDS_MS }));
      await this.#end(run);
      if (signal.aborted) throw new QemuError('QEMU_ABORTED', 'Launching was interrupted', { cause });
      throw launchError({ argv, timeoutMs, end: hasEnded ? run.end : undefined, output: run.log ?? '', cause });
    }
  }

  #arguments(): string[] {
    return codeArguments({
      machineType: this.#machineType,
      monitor: this.#hasMonitor,
      console: this.#console,
      passed: this.#passed,
      args: this.#args,
    });
  }

  async #spawn(argv: readonly string[]): Promise<Run> {
    const dir = makeFolder(this.#tempRoot);
    const logPath = join(dir, 'log');
    const descriptors: Descriptor[] = [
      this.#hasMonitor ? 'socket' : 'nothing',
      this.#console ? 'socket' : 'nothing',
      ...this.#passed.map((passed) => (typeof passed === 'number' ? passed : passed.fd)),
    ];
    try {
      const child = await spawnChild(argv, { logPath, cwd: dir, descriptors });
      return makeRun(child, dir, logPath);
    } catch (error) {
      rmSync(dir, { recursive: true, force: true });
      throw error;
    }
  }

  async #connect(run: Run, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const stream = run.child.socket(MONITOR_FD);
    if (!stream) throw new QemuError('QEMU_QMP_CONNECT', 'There is no socket to the monitor');
    const ended = new AbortController();
    void run.finished.then(() => ended.abort());
    const stop = AbortSignal.any([signal, ended.signal]);
    const deadline = performance.now() + timeoutMs;
    const client = new QmpClient();
    this.useMonitor(client);
    run.client = client;
    await client.open({ kind: 'stream', stream }, { timeoutMs, signal: stop });
    // QEMU greets before it has made its devices, and may end right after.
    const left = Math.max(1, deadline - performance.now());
    await client.execute('query-status', undefined, { timeoutMs: left, signal: stop });
  }

  async #quit(run: Run, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    try {
      if (!run.client) run.child.kill('SIGTERM');
      else await run.client.execute('quit', undefined, { timeoutMs, signal });
    } catch {
      // Somebody has closed the connection, or QEMU is going down already: what counts is whether it ends.
      if (signal?.aborted !== true) run.child.kill('SIGTERM');
    }
  }

  async #pressPowerButton(run: Run, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.qmp.execute('system_powerdown', undefined, { timeoutMs, signal });
    } catch (error) {
      // A guest may be faster to go down than QEMU's answer is to come.
      if (this.isRunning() && !run.client) throw error;
    }
  }

  async #end(run: Run): Promise<void> {
    if (!run.end) run.child.kill('SIGKILL');
    if (!(await endsWithin(run.finished, { timeoutMs: KILL_MS }))) {
      throw new QemuError('QEMU_STOP_FAILED', `Process ${run.child.pid} of machine "${this.name}" cannot be killed`);
    }
    await run.client?.close();
  }

  #requireStopped(what: string): void {
    if (!this.isRunning() && !this.#launching) return;
    throw new QemuError('QEMU_USAGE', `Cannot ${what}: machine "${this.name}" was launched already`);
  }
}

/** How long QEMU has to be gone after it hung up. */
const LAST_WORDS_MS = 2_000;

/** One launch. */
interface Run {
  readonly child: Child;
  readonly logPath: string;
  readonly console: DrainedSocket | undefined;
  /** Resolves when QEMU has ended and its folder is gone. */
  readonly finished: Promise<void>;
  client: QmpClient | undefined;
  end: ProcessEnd | undefined;
  log: string | undefined;
}

function makeRun(child: Child, dir: string, logPath: string): Run {
  const socket = child.socket(CONSOLE_FD);
  const run: Run = {
    child,
    logPath,
    console: socket && new DrainedSocket(socket),
    finished: child.exited.then((end) => {
      run.log = readTail(logPath, 0, LOG_BYTES);
      run.end = end;
      rmSync(dir, { recursive: true, force: true });
    }),
    client: undefined,
    end: undefined,
    log: undefined,
  };
  return run;
}

function makeFolder(root: string): string {
  try {
    return mkdtempSync(join(root, 'qemu-init-'));
  } catch (error) {
    throw fileError('make a folder in', root, error);
  }
}

/** What went wrong with a QEMU that was to end by itself; SIGTERM is from us. */
function crashOf({ end }: Run): string | undefined {
  return end?.signal === undefined || end.signal === 'SIGTERM' ? undefined : `it was ended by ${end.signal}`;
}
