import { tmpdir } from 'node:os';
import type { Duplex } from 'node:stream';
import { checkTimeout, DEFAULT_END_MS, type EndOptions } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import { QmpClient } from '../../qmp/client.ts';
import type { PassedFd } from '../start/passed-fd.ts';
import { codeArguments, FIRST_PASSED_FD } from './arguments.ts';
import { launchAborted, Run } from './run.ts';
import { RunningMachine, type ShutdownOptions } from './running-machine.ts';

/** How a machine in code is made. */
export interface MachineOptions {
  /** QEMU program, name or path; default: `qemu-system-x86_64`. */
  readonly binary?: string | undefined;
  /** Arguments of QEMU, before those that are added later. */
  readonly args?: readonly string[] | undefined;
  /** Program and arguments that QEMU is run by, such as `['strace', '-f']`. */
  readonly wrapper?: readonly string[] | undefined;
  /** Name for messages. */
  readonly name?: string | undefined;
  /** Folder in which the machine's temporary folder is made; default: that of the system. */
  readonly tempDir?: string | undefined;
}

/** How to launch. */
export interface LaunchOptions {
  /** Milliseconds until QEMU must have answered its first command; default: 60 s. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const LAUNCH_MS = 60_000;

/**
 * A QEMU that a program makes for itself: arguments in, process out. Its monitor and its console are sockets that QEMU
 * inherits, so that there is no file for others to connect to, and it never outlives this process. For machines that
 * are to go on by themselves see {@link Machine} and {@link Fleet}.
 *
 * Descriptors can only be passed at launch, with {@link addFd} and {@link inheritFd}: Node cannot send one over an open
 * socket (SCM_RIGHTS), so QMP's `getfd` and `add-fd` have nothing to receive.
 *
 * @example
 * import { TransientMachine } from 'qemu-init';
 *
 * const machine = new TransientMachine({ args: ['-accel', 'tcg', '-m', '64', '-S'] });
 * try {
 *   await machine.launch();
 *   console.log(await machine.command('query-status'));
 * } finally {
 *   await machine.kill();
 * }
 */
export class TransientMachine extends RunningMachine {
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
   * @param device QEMU device such as `isa-serial`; default: the board's own serial port.
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
   * @param fd may be closed here after the last launch.
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
   * Passes an open descriptor as it is, such as that of a tap or a socket. This stands in for QMP's `getfd`: arguments
   * and commands that take the name of a descriptor take its number as well, as in `netdev_add type=tap fd=5`.
   *
   * @param fd may be closed here after the last launch.
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
   * @throws {LaunchError} with status, arguments and output when it ends instead or does not answer; nothing is left
   * behind then.
   * @throws {QemuError} `QEMU_USAGE` while it runs, `QEMU_NOT_INSTALLED`, `QEMU_ABORTED`, `QEMU_IO`.
   */
  async launch(options: LaunchOptions = {}): Promise<void> {
    this.#requireStopped('launch');
    const { timeoutMs = LAUNCH_MS } = options;
    checkTimeout(timeoutMs);
    const stop = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
    const launched = this.#launch(timeoutMs, signal);
    const over = (): void => {
      this.#launching = undefined;
    };
    this.#launching = { stop, settled: launched.then(over, over) };
    await launched;
  }

  /**
   * Ends QEMU and waits for its end: by `quit`, or without a monitor by SIGTERM, which is like pulling the guest's
   * plug; with `graceful` by the power button. QEMU has ended when this returns or throws, but for an abort. Does
   * nothing for a machine that is not running.
   *
   * @throws {QemuError} `QEMU_STOP_FAILED` when QEMU had to be killed or crashed, though `hard` was not given, or when
   * the guest did not go down, though `graceful` was; `QEMU_ABORTED`.
   */
  async shutdown(options: ShutdownOptions = {}): Promise<void> {
    const { hard = false, graceful = false, timeoutMs = DEFAULT_END_MS, signal } = options;
    checkTimeout(timeoutMs);
    const run = this.#run;
    if (!run || run.end || hard || this.#launching) return this.kill();
    const failure = await (graceful ? run.powerDown(timeoutMs, signal) : run.quit(timeoutMs, signal));
    await run.kill();
    if (failure === undefined) return;
    throw new QemuError('QEMU_STOP_FAILED', `Machine "${this.name}" was not shut down: ${failure}`);
  }

  /**
   * Ends QEMU with SIGKILL and waits for its end; a launch that is under way is given up. Does nothing for a machine
   * that is not running.
   *
   * @throws {QemuError} `QEMU_STOP_FAILED` when it hangs in the kernel.
   */
  async kill(): Promise<void> {
    if (this.#launching) {
      this.#launching.stop.abort();
      await this.#launching.settled;
    }
    await this.#run?.kill();
  }

  /**
   * Waits for the end of QEMU. Never ends it.
   *
   * @returns whether it has ended.
   * @throws {QemuError} `QEMU_ABORTED`
   */
  async wait(options: EndOptions = {}): Promise<boolean> {
    return this.#run === undefined || this.#run.endsWithin(options);
  }

  /** Whether QEMU runs. */
  isRunning(): boolean {
    return this.#run !== undefined && this.#run.end === undefined;
  }

  /** Process of QEMU; undefined when it does not run. */
  get pid(): number | undefined {
    return this.isRunning() ? this.#run?.pid : undefined;
  }

  /** Exit status of QEMU; undefined until it has ended, and when a signal ended it. */
  get exitCode(): number | undefined {
    return this.#run?.end?.exitCode;
  }

  /** Signal that ended QEMU, such as `SIGKILL`. */
  get exitSignal(): string | undefined {
    return this.#run?.end?.signal;
  }

  /** What QEMU printed, at most the last 1 MiB; also after its end. */
  get log(): string {
    return this.#run?.log ?? '';
  }

  /**
   * The console of {@link setConsole}. It is always read, even without a listener, so that the guest never waits; the
   * last 1 MiB is kept for late listeners. It ends with QEMU.
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
    this.forgetMonitor();
    const run = await Run.start({ argv: this.#argv(), binary: this.#binary }, this.#tempRoot, [
      this.#hasMonitor ? 'socket' : 'nothing',
      this.#console ? 'socket' : 'nothing',
      ...this.#passed.map((passed) => (typeof passed === 'number' ? passed : passed.fd)),
    ]);
    this.#run = run;
    void run.finished.then(() => {
      if (this.#run === run) this.forgetMonitor();
    });
    if (this.#hasMonitor) {
      const client = new QmpClient();
      this.useMonitor(client);
      await run.connect(client, timeoutMs, signal);
    }
    if (!signal.aborted) return;
    await run.kill();
    throw launchAborted(signal.reason);
  }

  #argv(): string[] {
    const args = codeArguments({
      machineType: this.#machineType,
      monitor: this.#hasMonitor,
      console: this.#console,
      passed: this.#passed,
      args: this.#args,
    });
    return [...this.#wrapper, this.#binary, ...args];
  }

  #requireStopped(what: string): void {
    if (!this.isRunning() && !this.#launching) return;
    throw new QemuError('QEMU_USAGE', `Cannot ${what}: machine "${this.name}" has already been launched`);
  }
}
