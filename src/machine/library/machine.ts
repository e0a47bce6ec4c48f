import type { Duplex } from 'node:stream';
import { checkTimeout, DEFAULT_END_MS, type EndOptions } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import type { MachineConfig } from '../../config/types.ts';
import { DEFAULT_LAYOUT } from '../../domain/keyboard/layouts.ts';
import type { ScreenDumpOptions, Screenshot } from '../../domain/screen/screen-dump.ts';
import { readTail, sizeOf } from '../../system/files/log/log-file.ts';
import { type ProcessInfo, waitForExit } from '../../system/process/process.ts';
import type { AttachOptions } from '../change/attach.ts';
import type { BalloonOptions, BalloonResult } from '../change/balloon.ts';
import type { DiscOptions, DiscResult } from '../change/disc.ts';
import type { ReloadOptions, ReloadResult } from '../change/reload.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { withCurrentDisks } from '../disks/current-disks.ts';
import type { RestartLiveOptions, RestartLiveResult } from '../live/restart-result.ts';
import { loadMachineConfig } from '../load-config.ts';
import type { MigrateOptions, MigrateResult } from '../move/migrate-result.ts';
import type { DumpResult } from '../observe/dump.ts';
import type { KeyDifference } from '../plug/difference.ts';
import { locate } from '../run/locate.ts';
import type { KeyOptions } from '../screen/keyboard.ts';
import type { Life } from '../snapshot/revert.ts';
import type { StartResult } from '../start/already-running.ts';
import type { StartOptions } from '../start/launch-request.ts';
import type { PassedFd } from '../start/passed-fd.ts';
import type { SaveResult } from '../state/save-machine.ts';
import type { StopResult } from '../stop/stop.ts';
import { MachineBackups } from './backups.ts';
import { ControlConnection } from './control-connection.ts';
import { LaunchedProcess } from './launched-process.ts';
import { MachineAgent } from './machine-agent.ts';
import { MachineDisks } from './machine-disks.ts';
import type { MachineLife } from './machine-life.ts';
import { RunningMachine, type ShutdownOptions } from './running-machine.ts';
import { Snapshots } from './snapshots.ts';

/** How to launch a configured machine. */
export type MachineLaunchOptions = Pick<StartOptions, 'fresh' | 'paused' | 'preconfig' | 'signal'>;

const LOG_BYTES = 1024 * 1024;

/**
 * A machine from a cfg, in the hands of a program. It is started and stopped exactly as `qemu-init` does it, and by the
 * same code; it goes on when the program ends. `Fleet.machine` makes one.
 *
 * Its monitor is the machine's control port, so that it does not block `qemu-init`, which uses another socket. What is
 * changed here ({@link addArgs}, {@link setMachine} …) holds for launches by this object; the file stays as it is.
 *
 * @example
 * import { Fleet } from 'qemu-init';
 *
 * const fleet = Fleet.open();
 * const machine = fleet.machine(fleet.get('web'));
 * await machine.launch();
 * console.log(await machine.command('query-status'));
 * await machine.shutdown({ graceful: true, timeoutMs: 60_000 });
 */
export class Machine extends RunningMachine {
  readonly name: string;
  /** Where its files are. */
  readonly target: MachineRef;
  /** What is done to its disks. */
  readonly disks: MachineDisks;
  /** Its backups. */
  readonly backups: MachineBackups;
  /** The agent in its guest. */
  readonly agent: MachineAgent;
  /** Its snapshots, whether it runs or not. */
  readonly snapshots: Snapshots;
  readonly #host: MachineContext;
  readonly #config: MachineConfig;
  readonly #life: MachineLife;
  readonly #args: string[] = [];
  readonly #fds: PassedFd[] = [];
  #machineType: string | undefined;
  #hasMonitor = true;
  #isLaunching = false;
  /** To the control port, since a launch by this object. */
  readonly #connection: ControlConnection;
  /** The QEMU that this object has launched. */
  #own: LaunchedProcess | undefined;

  /** @param life what the fleet does for it. */
  constructor(host: MachineContext, target: MachineRef, config: MachineConfig, life: MachineLife) {
    super();
    this.name = target.longName;
    this.target = target;
    this.agent = new MachineAgent(host, target);
    this.backups = new MachineBackups(host, target, () => this.config);
    this.#host = host;
    this.#config = config;
    this.#life = life;
    this.#connection = new ControlConnection(target, {
      opened: (client) => this.useMonitor(client),
      closed: () => this.forgetMonitor(),
    });
    this.disks = new MachineDisks(host, target, () => this.config);
    this.snapshots = new Snapshots(host, target, () => this.config, this.#lifeBy(life));
  }

  /** A program that is connected is so again afterwards. */
  #lifeBy(life: Life): Life {
    let wasConnected = false;
    return {
      quit: async (signal) => {
        wasConnected = this.#connection.isOpen;
        await this.#connection.close();
        await life.quit(signal);
      },
      start: async (signal) => {
        await life.start(signal);
        if (wasConnected) await this.#connection.open(signal);
      },
    };
  }

  /** The configuration that the next launch uses: the file's, with the host's defaults and what was changed here. */
  get config(): MachineConfig {
    const origin = { file: this.#config.path, line: 0 };
    return {
      ...withCurrentDisks(this.#host, this.target, this.#config),
      machine: this.#machineType ?? this.#config.machine,
      custom: [...this.#config.custom, ...(this.#args.length === 0 ? [] : [{ args: this.#args, origin }])],
    };
  }

  /** The arguments of the QEMU that runs; empty when none does. What a launch would run: `Fleet.commandLine`. */
  get args(): readonly string[] {
    return this.#process()?.argv.slice(1) ?? [];
  }

  /** Adds arguments after those of the file. @throws {QemuError} `QEMU_USAGE` while it runs. */
  addArgs(...args: readonly string[]): void {
    this.#requireStopped('add arguments');
    this.#args.push(...args);
  }

  /** Machine type, as for `MACHINE=`. @throws {QemuError} `QEMU_USAGE` while it runs. */
  setMachine(type: string): void {
    this.#requireStopped('set the machine type');
    this.#machineType = type;
  }

  /** Switches the two monitor ports off; shutdown has its own way. @throws {QemuError} `QEMU_USAGE` while it runs. */
  setMonitor(enabled: boolean): void {
    this.#requireStopped('switch the monitor');
    this.#hasMonitor = enabled;
  }

  /**
   * Passes an open descriptor at the next launch, as {@link TransientMachine.addFd} does. It is for what opens it then:
   * what is left over QEMU closes when its first client leaves, which is `qemu-init`'s own.
   *
   * @throws {QemuError} `QEMU_USAGE` while it runs.
   */
  addFd(fd: number, fdset: number, opaque: string): this {
    this.#requireStopped('pass a descriptor');
    this.#fds.push({ fd, fdset, opaque });
    return this;
  }

  /**
   * Starts the machine and connects to its control port. One that runs already is only connected to. Events of the
   * moments before the connection are missed, but with `paused`, after which `command('cont')` lets the guest run.
   *
   * @throws {ConfigError} when something that the configuration names is wrong on this host.
   * @throws {LaunchError} when QEMU does not come up.
   * @throws {QemuError} as `qemu-init start`; `QEMU_USAGE` while another launch goes on; `QEMU_TIMEOUT` when another
   * client holds the control port: the machine runs then.
   */
  async launch(options: MachineLaunchOptions = {}): Promise<StartResult> {
    // Of two at once the connection of one would be forgotten, and stay in the way of others.
    if (this.#isLaunching) throw new QemuError('QEMU_USAGE', `Machine "${this.name}" is already being launched`);
    this.#isLaunching = true;
    try {
      return await this.#launch(options);
    } finally {
      this.#isLaunching = false;
    }
  }

  async #launch(options: MachineLaunchOptions): Promise<StartResult> {
    await this.#connection.close();
    const host: MachineContext = this.#hasMonitor
      ? this.#host
      : { ...this.#host, monitor: { ...this.#host.monitor, monitor: 'off' } };
    const offset = sizeOf(this.target.files.log);
    const { startMachine } = await import('../start/start.ts');
    const result = await startMachine(host, this.target, this.config, {
      paused: options.paused,
      preconfig: options.preconfig,
      fresh: options.fresh,
      signal: options.signal,
      fds: this.#fds,
      onSpawn: (process) => {
        this.#own = new LaunchedProcess(process, offset);
      },
    });
    await this.#connection.open(options.signal);
    return result;
  }

  /**
   * Ends the machine and waits for its end, by the ladder of `qemu-init stop`: power button and guest agent, after
   * `timeoutMs` (default: STOPDELAY) `quit`, then signals. A machine that is not running is a success.
   *
   * @returns the rung that ended it.
   * @throws {QemuError} `QEMU_STOP_FAILED` when it had to be killed though `hard` was not given, or when the guest did
   * not go down by itself though `graceful` was; it has ended all the same. `QEMU_ABORTED`, `QEMU_LOCKED`,
   * `QEMU_NOT_PERMITTED`.
   */
  async shutdown(options: ShutdownOptions = {}): Promise<StopResult> {
    const { hard = false, graceful = false, timeoutMs, signal } = options;
    if (timeoutMs !== undefined) checkTimeout(timeoutMs);
    await this.#connection.close();
    const { killMachine, stopMachine } = await import('../stop/stop.ts');
    const result = hard
      ? await killMachine(this.#host, this.target, signal)
      : await stopMachine(this.#host, this.target, this.#config, { stopDelayMs: timeoutMs, signal });
    await this.#learnEnd();
    if (hard) return result;
    const isGraceful = result.rung === 'none' || result.rung === 'powerdown' || result.rung === 'agent';
    if (isGraceful || (!graceful && result.rung !== 'sigkill')) return result;
    throw new QemuError(
      'QEMU_STOP_FAILED',
      `Machine "${this.name}" was not shut down cleanly: "${result.rung}" ended it`,
    );
  }

  /**
   * Saves the state of the guest to the disk and ends QEMU; the next launch goes on from there.
   *
   * @throws {QemuError} `QEMU_NOT_RUNNING`; `QEMU_MACHINE_STATE` for one that cannot be saved, `QEMU_IO` without room,
   * `QEMU_COMMAND_FAILED`, `QEMU_LOCKED`, `QEMU_ABORTED`: the guest then goes on as before, without a connection of this
   * object.
   */
  async save(options: LongWorkOptions = {}): Promise<SaveResult> {
    await this.#connection.close();
    const { saveMachine } = await import('../state/save-machine.ts');
    const result = await saveMachine(this.#host, this.target, this.#config, options);
    await this.#learnEnd();
    return result;
  }

  /**
   * Moves the running machine to another place while its guest goes on, as `Fleet.migrate`. Once it is there, this object
   * stands for a machine that does not run here.
   *
   * @param destination `root:DIR`, or `ssh://[USER@]HOST[:PORT][/ROOT]`.
   * @throws {QemuError} as `Fleet.migrate`: the guest then goes on here.
   */
  async migrate(destination: string, options: MigrateOptions = {}): Promise<MigrateResult> {
    return this.#aside(options.signal, () => this.#life.migrate(destination, options));
  }

  /**
   * Has the guest go on in a new QEMU, the one that is installed now, as `Fleet.restartLive`.
   *
   * @throws {QemuError} as `Fleet.restartLive`: the guest then goes on as before.
   */
  async restartLive(options: RestartLiveOptions = {}): Promise<RestartLiveResult> {
    return this.#aside(options.signal, () => this.#life.restartLive(options));
  }

  /** Where it differs from its file while it runs, as `qemu-init diff`. @throws {QemuError} as `reload`. */
  async diff(signal?: AbortSignal): Promise<readonly KeyDifference[]> {
    const { diffMachine } = await import('../change/reload.ts');
    return diffMachine(this.#host, this.target, this.#fileConfig(), signal);
  }

  /**
   * Makes the running machine what its file says now, as `qemu-init reload`.
   *
   * @throws {QemuError} `QEMU_NOT_RUNNING`; `QEMU_NOT_IMPLEMENTED`, with nothing changed, when something needs a restart;
   * `QEMU_TIMEOUT` when the guest does not release a device, with everything else done; `QEMU_LOCKED`, `QEMU_ABORTED`.
   */
  async reload(options?: ReloadOptions): Promise<ReloadResult> {
    const { reloadMachine } = await import('../change/reload.ts');
    return reloadMachine(this.#host, this.target, this.#fileConfig(), options);
  }

  /**
   * Plugs devices into the running machine, or puts discs into its drives.
   *
   * @param values as in its file: `{ DSK2: 'data.qcow2', NIC2: 'virtio,bridge=br1' }`.
   * @throws {QemuError} as {@link reload}; `QEMU_USAGE` for a device that is there already.
   */
  async attach(values: Readonly<Record<string, string>>, options?: AttachOptions): Promise<ReloadResult> {
    const { attachDevices } = await import('../change/attach.ts');
    return attachDevices(this.#host, this.target, new Map(Object.entries(values)), options);
  }

  /** Unplugs devices of the running machine: `['DSK2']`. @throws {QemuError} as {@link reload}. */
  async detach(keys: readonly string[], options?: AttachOptions): Promise<ReloadResult> {
    const { detachDevices } = await import('../change/attach.ts');
    return detachDevices(this.#host, this.target, keys, options);
  }

  /** Ends QEMU with SIGKILL, even while another command uses the machine, and waits for its end. */
  async kill(): Promise<void> {
    await this.shutdown({ hard: true });
  }

  /**
   * Waits for the end of QEMU. Never ends it.
   *
   * @returns whether it has ended.
   * @throws {QemuError} `QEMU_ABORTED`
   */
  async wait(options: EndOptions = {}): Promise<boolean> {
    const { timeoutMs = DEFAULT_END_MS, signal } = options;
    checkTimeout(timeoutMs);
    const process = this.#process();
    if (!process) return true;
    const hasEnded = await waitForExit(process.pid, process.startTime, timeoutMs, signal);
    if (hasEnded) await this.#learnEnd();
    return hasEnded;
  }

  /** Whether its QEMU is running, even if another program started it. */
  isRunning(): boolean {
    return this.#process() !== undefined;
  }

  /** Process of QEMU; undefined when it does not run. */
  get pid(): number | undefined {
    return this.#process()?.pid;
  }

  /** Known only of a QEMU that this object has launched. */
  get exitCode(): number | undefined {
    return this.#own?.end?.exitCode;
  }

  /** Known only of a QEMU that this object has launched. */
  get exitSignal(): string | undefined {
    return this.#own?.end?.signal;
  }

  /** What QEMU printed since this object has launched it; of another one, the end of its log. */
  get log(): string {
    return readTail(this.target.files.log, this.#own?.logOffset ?? 0, LOG_BYTES);
  }

  /**
   * Uses the machine's serial console exclusively.
   *
   * @throws {QemuError} `QEMU_NOT_RUNNING`, `QEMU_CONFIG_INVALID` with `SERIAL=off`, `QEMU_LOCKED` when another
   * client has it.
   */
  async withConsole<T>(body: (stream: Duplex) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { withConsole } = await import('../control/console.ts');
    return withConsole(this.#host, this.target, this.#config, signal, body);
  }

  /**
   * Takes a picture of the screen, also of a paused machine.
   *
   * @throws {QemuError} `QEMU_NOT_RUNNING`; `QEMU_QMP_REFUSED` for a machine without a screen; `QEMU_QMP_BAD_REPLY`,
   * `QEMU_TIMEOUT`, `QEMU_ABORTED`.
   */
  async screenshot(options: ScreenDumpOptions = {}): Promise<Screenshot> {
    const { takeScreenshot } = await import('../screen/screenshot.ts');
    return takeScreenshot(this.#host, this.target, options);
  }

  /**
   * Presses combinations of keys, such as `ctrl-alt-delete`, one after the other.
   *
   * @throws {QemuError} `QEMU_USAGE` for a key that does not exist; `QEMU_MACHINE_STATE` when the guest does not run;
   * `QEMU_NOT_RUNNING`, `QEMU_TIMEOUT`, `QEMU_ABORTED`.
   */
  async sendKeys(combinations: readonly string[], options: KeyOptions = {}): Promise<void> {
    const { sendKeys } = await import('../screen/keyboard.ts');
    return sendKeys(this.#host, this.target, combinations, options);
  }

  /**
   * Types a text on the guest's keyboard.
   *
   * @param options `layout` of the guest: `en-us`, `en-gb`, `de` or `fr` (default: KEYMAP, or `en-us`).
   * @returns how many strokes it took.
   * @throws {QemuError} `QEMU_USAGE` for characters that the layout does not have, before anything is typed; otherwise
   * as {@link sendKeys}.
   */
  async type(text: string, options: KeyOptions & { readonly layout?: string | undefined } = {}): Promise<number> {
    const { layout = this.#config.keymap ?? DEFAULT_LAYOUT, ...limits } = options;
    const { typeText } = await import('../screen/keyboard.ts');
    return typeText(this.#host, this.target, text, layout, limits);
  }

  /** Puts a disc into a CD-ROM drive such as `CDR1`. @throws {QemuError} `QEMU_DEVICE_UNKNOWN`, `QEMU_IO`, `QEMU_TIMEOUT` …. */
  async insert(drive: string, file: string, options?: DiscOptions): Promise<DiscResult> {
    const { insertDisc } = await import('../change/disc.ts');
    return insertDisc(this.#host, this.target, drive, file, options);
  }

  /** Takes the disc out of a CD-ROM drive. @throws {QemuError} see {@link ejectDisc}. */
  async eject(drive: string, options?: DiscOptions): Promise<DiscResult> {
    const { ejectDisc } = await import('../change/disc.ts');
    return ejectDisc(this.#host, this.target, drive, options);
  }

  /** Pulls the cable of a network card such as `NIC1`, or plugs it in. @throws {QemuError} see {@link setLink}. */
  async setLink(nic: string, up: boolean, options?: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    const { setLink } = await import('../change/link.ts');
    return setLink(this.#host, this.target, nic, up, options);
  }

  /** How much memory the guest has. @throws {QemuError} see {@link readBalloon}. */
  async balloon(options?: BalloonOptions): Promise<BalloonResult> {
    const { readBalloon } = await import('../change/balloon.ts');
    return readBalloon(this.#host, this.target, options);
  }

  /** Has the guest give memory back, or take it again. @throws {QemuError} see {@link setBalloon}. */
  async setBalloon(bytes: number, options?: BalloonOptions): Promise<BalloonResult> {
    const { setBalloon } = await import('../change/balloon.ts');
    return setBalloon(this.#host, this.target, bytes, options);
  }

  /**
   * Writes the memory to a file, as an ELF core. The guest stands still meanwhile.
   *
   * @throws {QemuError} `QEMU_NOT_RUNNING`, `QEMU_IO`, `QEMU_COMMAND_FAILED`, `QEMU_ABORTED`; there is no file then.
   */
  async dump(file: string, options?: LongWorkOptions): Promise<DumpResult> {
    const { dumpMemory } = await import('../observe/dump.ts');
    return dumpMemory(this.#host, this.target, file, options);
  }

  /** Kills the QEMU that this object has launched; one that it found running it only leaves. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
    const process = this.#process();
    if (process && this.#own?.is(process)) await this.kill();
  }

  protected whyNoMonitor(): QemuError {
    if (!this.isRunning()) return new QemuError('QEMU_NOT_RUNNING', `Machine "${this.name}" is not running`);
    return new QemuError('QEMU_USAGE', `This program is not connected to machine "${this.name}"`, {
      hint: 'launch() connects to machines with a control port; for others use Fleet.withMonitor',
    });
  }

  /** The file may have changed since this object was made. */
  #fileConfig(): MachineConfig {
    return loadMachineConfig(this.target.configPath, this.#host.paths.defaultsFile);
  }

  /** Does what needs the control port for itself; a program that was connected is so again if QEMU runs here. */
  async #aside<T>(signal: AbortSignal | undefined, body: () => Promise<T>): Promise<T> {
    const wasConnected = this.#connection.isOpen;
    await this.#connection.close();
    const goOn = async (): Promise<void> => {
      await this.#learnEnd();
      if (wasConnected && this.isRunning()) await this.#connection.open(signal);
    };
    let result: T;
    try {
      result = await body();
    } catch (error) {
      // Why it failed says more than that nothing answers now.
      await goOn().catch(() => {});
      throw error;
    }
    await goOn();
    return result;
  }

  async #learnEnd(): Promise<void> {
    if (!this.isRunning()) await this.#own?.learnEnd();
  }

  #process(): ProcessInfo | undefined {
    const located = locate(this.target.files);
    return located.kind === 'alive' ? located.process : undefined;
  }

  #requireStopped(what: string): void {
    if (!this.isRunning()) return;
    throw new QemuError('QEMU_USAGE', `Cannot ${what}: machine "${this.name}" is running`);
  }
}
