import { QemuError } from '../base/errors.ts';
import { asArray, asRecord, asText } from '../base/guards.ts';
import type { QmpClient } from '../qmp/client.ts';
import type { ExecuteOptions } from '../qmp/command.ts';
import type { EventName } from '../qmp/commands.ts';
import type { EventFilter, EventMatch, KnownEvent, QmpEvent } from '../qmp/event.ts';
import type { SubscribeOptions, WaitOptions } from '../qmp/event-hub.ts';
import type { EventSubscription } from '../qmp/event-subscription.ts';
import { runStateOf } from '../qmp/status-answer.ts';
import { type BlockDevice, parseBlockDevices } from './block-device.ts';
import { type BlockJob, parseBlockJobs } from './block-job.ts';
import { type BlockStats, parseBlockStats } from './block-stats.ts';
import { type Cpu, parseCpus } from './cpu.ts';
import { type Job, listJobs, type SettledJob, settleJobs } from './job.ts';
import type { Monitor } from './monitor.ts';
import { type PciDevice, parsePciDevices } from './pci-device.ts';
import { type ScreenDumpOptions, screenDump } from './screen/screen-dump.ts';

/**
 * `RunState` of QEMU (`query-status`). A state of a newer QEMU that is not in this list is passed through unchanged.
 */
export type RunState =
  | 'debug'
  | 'inmigrate'
  | 'internal-error'
  | 'io-error'
  | 'paused'
  | 'postmigrate'
  | 'prelaunch'
  | 'finish-migrate'
  | 'restore-vm'
  | 'running'
  | 'save-vm'
  | 'shutdown'
  | 'suspended'
  | 'watchdog'
  | 'guest-panicked'
  | 'colo'
  | (string & {});

/**
 * A running QEMU, seen over QMP: the sense of the word in libvirt and go-qemu. It owns its connection; {@link close}
 * ends that and leaves QEMU running.
 *
 * Every method that asks QEMU takes a deadline and an AbortSignal, and throws what {@link QmpClient.execute} throws:
 * `QEMU_QMP_REFUSED`, `QEMU_TIMEOUT`, `QEMU_ABORTED`, `QEMU_QMP_CLOSED`, `QEMU_QMP_STATE`.
 *
 * @example
 * import { Fleet } from 'qemu-init';
 *
 * const fleet = Fleet.open();
 * const domain = await fleet.domain(fleet.get('web'));
 * try {
 *   console.log(await domain.status());
 *   for (const { device, inserted } of await domain.blockDevices()) console.log(device, inserted?.file);
 * } finally {
 *   await domain.close();
 * }
 */
export class Domain implements Monitor, AsyncDisposable {
  /** Name for messages. */
  readonly name: string;
  /** The connection, for everything this class has no method for. */
  readonly client: QmpClient;
  readonly #scratchDir: string | undefined;
  #commands: ReadonlySet<string> | undefined;

  /** @param scratchDir folder of the caller's for files that QEMU writes; default: the one for temporary files. */
  constructor(client: QmpClient, name: string, scratchDir?: string) {
    this.client = client;
    this.name = name;
    this.#scratchDir = scratchDir;
  }

  /** Sends any command. The answer is what QEMU returned, without its envelope. */
  run(command: string, args?: Readonly<Record<string, unknown>>, options?: ExecuteOptions): Promise<unknown> {
    return this.client.executeRaw(command, args, options);
  }

  /** Names of all commands that this QEMU has, in its order. Asked once. */
  async commands(options?: ExecuteOptions): Promise<string[]> {
    return [...(await this.#commandNames(options))];
  }

  /** Whether this QEMU has the command. */
  async supported(command: string, options?: ExecuteOptions): Promise<boolean> {
    return (await this.#commandNames(options)).has(command);
  }

  /** Version of QEMU as `major.minor.micro`, from the greeting. @throws {QemuError} `QEMU_QMP_STATE` after the end. */
  version(): string {
    const { major, minor, micro } = this.client.greeting.version;
    return `${major}.${minor}.${micro}`;
  }

  /** Version of the package that QEMU is from; empty for a build from its sources. */
  packageVersion(): string {
    return this.client.greeting.version.package;
  }

  /** The current run state of the machine (`query-status`). */
  async status(options?: ExecuteOptions): Promise<RunState> {
    return runStateOf(await this.run('query-status', undefined, options));
  }

  /** The drives, with and without a medium (`query-block`). */
  async blockDevices(options?: ExecuteOptions): Promise<BlockDevice[]> {
    return parseBlockDevices(this, await this.run('query-block', undefined, options));
  }

  /**
   * The drive with that name, id of its device, path in QEMU's object tree, or node name.
   *
   * @throws {QemuError} `QEMU_DEVICE_UNKNOWN` when there is none.
   */
  async blockDevice(name: string, options?: ExecuteOptions): Promise<BlockDevice> {
    const found = (await this.blockDevices(options)).find((device) => device.isCalled(name));
    if (found) return found;
    throw new QemuError('QEMU_DEVICE_UNKNOWN', `Domain "${this.name}" has no block device "${name}"`);
  }

  /** Counters of the drives (`query-blockstats`). */
  async blockStats(options?: ExecuteOptions): Promise<BlockStats[]> {
    return parseBlockStats(await this.run('query-blockstats', undefined, options));
  }

  /** The block jobs that are not over (`query-block-jobs`). */
  async blockJobs(options?: ExecuteOptions): Promise<BlockJob[]> {
    return parseBlockJobs(this, await this.run('query-block-jobs', undefined, options));
  }

  /**
   * All jobs inside QEMU, those of other clients as well, and those that are over and not dismissed (`query-jobs`). A
   * job that outlives the call that has started it stays listed.
   */
  jobs(options?: ExecuteOptions): Promise<Job[]> {
    return listJobs(this, options);
  }

  /** The job with that id. @throws {QemuError} `QEMU_DEVICE_UNKNOWN` when there is none. */
  async job(id: string, options?: ExecuteOptions): Promise<Job> {
    const found = (await this.jobs(options)).find((job) => job.id === id);
    if (found) return found;
    throw new QemuError('QEMU_DEVICE_UNKNOWN', `Domain "${this.name}" has no job "${id}"`);
  }

  /**
   * Reports the outcome of the jobs whose ids are from {@link jobId}, such as those of a program that was killed, and
   * dismisses those that are over.
   */
  settleJobs(options?: ExecuteOptions): Promise<SettledJob[]> {
    return settleJobs(this, options);
  }

  /** The virtual processors (`query-cpus-fast`, which does not interrupt the guest). */
  async cpus(options?: ExecuteOptions): Promise<Cpu[]> {
    return parseCpus(await this.run('query-cpus-fast', undefined, options));
  }

  /**
   * All PCI devices, including those behind bridges (`query-pci`). Until the firmware has run, bridges are empty and
   * devices have no addresses.
   */
  async pciDevices(options?: ExecuteOptions): Promise<PciDevice[]> {
    return parsePciDevices(await this.run('query-pci', undefined, options));
  }

  /**
   * A picture of the screen, taken by QEMU, which has to run on this host: it writes a temporary file.
   *
   * @returns the bytes of the picture, PNG unless PPM is asked for.
   * @throws {QemuError} `QEMU_QMP_REFUSED` for a machine without a display; `QEMU_IO` when there is no room for the
   * file.
   */
  async screenDump(options: ScreenDumpOptions = {}): Promise<Buffer> {
    return (await screenDump(this, options, this.#scratchDir)).data;
  }

  /** Presses the power button. QEMU answers at once, whether or not a guest is there to notice. */
  async systemPowerdown(options?: ExecuteOptions): Promise<void> {
    await this.client.execute('system_powerdown', undefined, options);
  }

  /** Presses the reset button. A machine that is paused stays so, in the state `prelaunch`. */
  async systemReset(options?: ExecuteOptions): Promise<void> {
    await this.client.execute('system_reset', undefined, options);
  }

  /**
   * Events from now on, until the subscription or the connection ends.
   *
   * @throws {QemuError} `QEMU_USAGE` when the limit is not a whole number from 1.
   */
  events<N extends EventName>(filter: N | readonly N[], options?: SubscribeOptions): EventSubscription<KnownEvent<N>>;
  events(filter?: EventFilter, options?: SubscribeOptions): EventSubscription;
  // The signatures above give the type: the data of an event is typed by name and not checked at run time.
  events(filter?: EventFilter, options?: SubscribeOptions): object {
    return this.client.events(filter, options);
  }

  /**
   * Waits for one event. Only events from now on count, unless `since` is set.
   *
   * @throws {QemuError} as {@link QmpClient.waitForEvent}.
   */
  waitForEvent<N extends EventName>(
    name: N | readonly N[],
    match?: EventMatch,
    options?: WaitOptions,
  ): Promise<KnownEvent<N>>;
  waitForEvent(filter: EventFilter, match?: EventMatch, options?: WaitOptions): Promise<QmpEvent>;
  waitForEvent(filter: EventFilter, match?: EventMatch, options?: WaitOptions): Promise<unknown> {
    return this.client.waitForEvent(filter, match, options);
  }

  /** Ends the connection, and with it every call and every subscription; may be called twice. QEMU goes on. */
  close(): Promise<void> {
    return this.client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #commandNames(options: ExecuteOptions | undefined): Promise<ReadonlySet<string>> {
    if (!this.#commands) {
      const answer = await this.run('query-commands', undefined, options);
      this.#commands = new Set(asArray(answer).map((each) => asText(asRecord(each)['name'])));
    }
    return this.#commands;
  }
}
