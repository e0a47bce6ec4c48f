import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { LaunchError, QemuError } from '../../errors.ts';
import { QmpClient } from '../../qmp/client.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import type { EventFilter, EventMatch, QmpEvent } from '../../qmp/event.ts';
import type { WaitOptions } from '../../qmp/event-hub.ts';
import { type Child, spawnChild } from '../../system/child.ts';
import type { ProcessEnd } from '../../system/launch-process.ts';
import { readTail } from '../../system/log-file.ts';
import { cleanOutput } from '../launch.ts';
import { codeArguments, type PassedFd } from './arguments.ts';
import { EventQueue } from './event-queue.ts';

export interface MachineOptions {
  /** QEMU program, name or path; `qemu-system-x86_64` if not given. */
  readonly binary?: string | undefined;
  /** Arguments of QEMU, before those that are added later. */
  readonly args?: readonly string[] | undefined;
  /** Name for messages. */
  readonly name?: string | undefined;
  /** Where the machine's temporary folder is made. */
  readonly tempDir?: string | undefined;
}

export interface ShutdownOptions {
  /** SIGKILL at once. */
  readonly hard?: boolean | undefined;
  /** Milliseconds that QEMU has after `quit`; 30 s if not given. */
  readonly timeoutMs?: number | undefined;
}

const LAUNCH_MS = 60_000;
const SHUTDOWN_MS = 30_000;
const LOG_BYTES = 1024 * 1024;

/**
 * A QEMU that a program makes for itself: arguments in, process out. Its monitor and console are sockets that QEMU
 * inherits, so that there is no file for others to connect to, and it never outlives this process. For machines that are
 * to go on by themselves see `Fleet`.
 *
 * A descriptor can only be passed at launch, with {@link addFd}: Node cannot send one over a socket that is open
 * (SCM_RIGHTS).
 *
 * @example
 * await using machine = new Machine({ args: ['-m', '64', '-S'] });
 * await machine.launch();
 * await machine.command('query-status');
 */
export class Machine implements AsyncDisposable {
  readonly name: string;
  readonly #binary: string;
  readonly #tempRoot: string;
  readonly #args: string[];
  readonly #fds: PassedFd[] = [];
  #machineType: string | undefined;
  #console: { readonly device: string | undefined; readonly index: number } | undefined;
  #monitor = true;
  #run: Run | undefined;
  #end: ProcessEnd | undefined;
  #log: string | undefined;

  constructor(options: MachineOptions = {}) {
    this.name = options.name ?? 'machine';
    this.#binary = options.binary ?? 'qemu-system-x86_64';
    this.#tempRoot = options.tempDir ?? tmpdir();
    this.#args = [...(options.args ?? [])];
  }

  /** The arguments given so far, without those that launching adds. */
  get args(): readonly string[] {
    return this.#args;
  }

  /** Adds arguments. @throws {QemuError} `QEMU_USAGE` after the launch. */
  addArgs(...args: readonly string[]): void {
    this.#requireNew('add arguments');
    this.#args.push(...args);
  }

  /** Machine type, as for `-machine`. */
  setMachine(type: string): void {
    this.#requireNew('set the machine type');
    this.#machineType = type;
  }

  /**
   * Gives the machine a serial console on {@link console}.
   *
   * @param device QEMU device such as `isa-serial`; the board's own serial port if not given.
   * @param index number of serial ports before it, which lead nowhere.
   */
  setConsole(device?: string, index = 0): void {
    this.#requireNew('set the console');
    this.#console = { device, index };
  }

  /** Switches the monitor off: then only signals end QEMU, and a launch is done when the process runs. */
  setMonitor(enabled: boolean): void {
    this.#requireNew('switch the monitor');
    this.#monitor = enabled;
  }

  /**
   * Passes an open descriptor as a member of an fd set, which QEMU reaches as `/dev/fdset/N`. A writable image needs two:
   * one opened for reading and writing, one for reading only.
   *
   * @returns this, for chaining.
   */
  addFd(fd: number, fdset: number, opaque: string): this {
    this.#requireNew('pass a descriptor');
    this.#fds.push({ fd, fdset, opaque });
    return this;
  }

  /**
   * Starts QEMU and waits until it answers a command.
   *
   * @throws {LaunchError} with status, arguments and output when it ends instead; nothing is left behind then.
   * @throws {QemuError} `QEMU_USAGE` when it was launched before, `QEMU_NOT_INSTALLED`.
   */
  async launch(
    options: { readonly timeoutMs?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    this.#requireNew('launch');
    const { timeoutMs = LAUNCH_MS, signal } = options;
    const dir = mkdtempSync(join(this.#tempRoot, 'qemu-init-'));
    const logPath = join(dir, 'log');
    const argv = [
      this.#binary,
      ...codeArguments({
        machineType: this.#machineType,
        monitor: this.#monitor,
        console: this.#console,
        fds: this.#fds,
        args: this.#args,
      }),
    ];
    try {
      const sockets = (this.#monitor ? 1 : 0) + (this.#console ? 1 : 0);
      const child = await spawnChild(argv, { logPath, cwd: dir, sockets, fds: this.#fds.map(({ fd }) => fd) });
      const run = makeRun(child, dir, logPath, this.#monitor);
      this.#run = run;
      void child.exited.then((end) => this.#finish(run, end));
      if (run.stream) run.client = await this.#connect(run, argv, timeoutMs, signal);
    } catch (error) {
      await this.kill();
      rmSync(dir, { recursive: true, force: true });
      throw error;
    }
  }

  /**
   * Ends QEMU: `quit`, or without a monitor SIGTERM, and SIGKILL when it does not go. Note that this pulls the guest's
   * plug; press {@link Domain.systemPowerdown} and {@link wait} for a guest that has something to lose. Does nothing for a
   * machine that is not running.
   *
   * @throws {QemuError} `QEMU_STOP_FAILED` when it had to be killed though `hard` was not given.
   */
  async shutdown(options: ShutdownOptions = {}): Promise<void> {
    const run = this.#run;
    if (!run || this.#end) return this.#cleanUp();
    if (options.hard === true) return this.kill();
    const { timeoutMs = SHUTDOWN_MS } = options;
    if (run.client) await run.client.execute('quit', undefined, { timeoutMs }).catch(() => {});
    else run.child.kill('SIGTERM');
    const gone = await this.wait(timeoutMs);
    await this.kill();
    if (!gone) {
      throw new QemuError(
        'QEMU_STOP_FAILED',
        `Machine "${this.name}" had to be killed: it did not quit in ${timeoutMs} ms`,
      );
    }
  }

  /** Ends QEMU with SIGKILL and waits for its end. */
  async kill(): Promise<void> {
    const run = this.#run;
    if (run && !this.#end) {
      run.child.kill('SIGKILL');
      await run.child.exited;
    }
    await this.#cleanUp();
  }

  /**
   * Waits for the end of QEMU. Never ends it.
   *
   * @returns whether it has ended.
   */
  async wait(timeoutMs = SHUTDOWN_MS, signal?: AbortSignal): Promise<boolean> {
    const run = this.#run;
    if (!run || this.#end) return true;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs);
    const stop = signal ? AbortSignal.any([late.signal, signal]) : late.signal;
    try {
      return await Promise.race([
        run.child.exited.then(() => true),
        new Promise<boolean>((resolve) => {
          stop.addEventListener('abort', () => resolve(false), { once: true });
        }),
      ]);
    } finally {
      clearTimeout(timer);
    }
  }

  isRunning(): boolean {
    return this.#run !== undefined && this.#end === undefined;
  }

  /** Process of QEMU; undefined when it does not run. */
  get pid(): number | undefined {
    return this.isRunning() ? this.#run?.child.pid : undefined;
  }

  /** Exit status of QEMU; undefined until it has ended, and when a signal ended it. */
  get exitCode(): number | undefined {
    return this.#end?.exitCode;
  }

  /** Signal that ended QEMU. */
  get exitSignal(): string | undefined {
    return this.#end?.signal;
  }

  /** What QEMU printed; also after its end. */
  get log(): string {
    return this.#log ?? (this.#run ? readTail(this.#run.logPath, 0, LOG_BYTES) : '');
  }

  /** The connection to QEMU. @throws {QemuError} `QEMU_NOT_RUNNING`; `QEMU_USAGE` when the monitor is off. */
  get qmp(): QmpClient {
    if (this.#run?.client) return this.#run.client;
    if (!this.#monitor) throw new QemuError('QEMU_USAGE', `The monitor of machine "${this.name}" is switched off`);
    throw new QemuError('QEMU_NOT_RUNNING', `Machine "${this.name}" is not running`);
  }

  /** Sends any command. @throws {QmpRefusedError} when QEMU refuses it. */
  command(command: string, args?: Readonly<Record<string, unknown>>, options?: ExecuteOptions): Promise<unknown> {
    return this.qmp.executeRaw(command, args, options);
  }

  /** The console of {@link setConsole}. Keep reading it: QEMU waits when nobody does. */
  get console(): Duplex {
    const stream = this.#run?.child.sockets.at(this.#monitor ? 1 : 0);
    if (stream && this.#console) return stream;
    throw new QemuError('QEMU_USAGE', `Machine "${this.name}" has no console`);
  }

  /** Waits for an event that comes from now on, or after `since`, a value of `qmp.eventCount`. */
  eventWait(name: string, match?: EventMatch, options?: WaitOptions): Promise<QmpEvent> {
    return this.qmp.waitForEvent(name, match, options);
  }

  /** Waits for the first event that one of several filters lets pass. */
  eventsWait(filter: EventFilter, options?: WaitOptions): Promise<QmpEvent> {
    return this.qmp.waitForEvent(filter, undefined, options);
  }

  /** The oldest event that was not taken yet; undefined when there is none. */
  getQmpEvent(): QmpEvent | undefined {
    return this.#run?.events?.take();
  }

  /** All events that were not taken yet. */
  getQmpEvents(): QmpEvent[] {
    return this.#run?.events?.takeAll() ?? [];
  }

  /** Guarantees the end of QEMU. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }

  async #connect(
    run: Run,
    argv: readonly string[],
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<QmpClient> {
    const ended = new AbortController();
    void run.child.exited.then(() => ended.abort());
    const stop = signal ? AbortSignal.any([signal, ended.signal]) : ended.signal;
    const client = new QmpClient();
    run.events = new EventQueue(client.events());
    try {
      await client.open({ kind: 'stream', stream: run.stream as Duplex }, { timeoutMs, signal: stop });
      // QEMU greets before it has made its devices, and may end right after.
      await client.execute('query-status', undefined, { timeoutMs, signal: stop });
      return client;
    } catch (error) {
      if (signal?.aborted) throw error;
      await this.wait(2_000);
      run.child.kill('SIGKILL');
      const end = await run.child.exited;
      const output = cleanOutput(readTail(run.logPath, 0, LOG_BYTES), this.#binary.split('/').at(-1) ?? '');
      const how = end.signal === undefined ? `ended with exit status ${end.exitCode}` : `was ended by ${end.signal}`;
      throw new LaunchError(`QEMU ${how}${output ? `: ${output}` : ''}`, { argv, ...end, output }, { cause: error });
    }
  }

  #finish(run: Run, end: ProcessEnd): void {
    this.#end = end;
    this.#log = readTail(run.logPath, 0, LOG_BYTES);
  }

  async #cleanUp(): Promise<void> {
    const run = this.#run;
    if (!run) return;
    await run.client?.close();
    for (const socket of run.child.sockets) socket.destroy();
    this.#log ??= readTail(run.logPath, 0, LOG_BYTES);
    rmSync(run.dir, { recursive: true, force: true });
  }

  #requireNew(what: string): void {
    if (!this.#run) return;
    throw new QemuError('QEMU_USAGE', `Cannot ${what}: machine "${this.name}" was launched already`);
  }
}

/** One launch. */
interface Run {
  readonly child: Child;
  readonly dir: string;
  readonly logPath: string;
  /** Our end of the monitor. */
  readonly stream: Duplex | undefined;
  client: QmpClient | undefined;
  events: EventQueue | undefined;
}

function makeRun(child: Child, dir: string, logPath: string, monitor: boolean): Run {
  return { child, dir, logPath, stream: monitor ? child.sockets[0] : undefined, client: undefined, events: undefined };
}
