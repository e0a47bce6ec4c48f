import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QemuError } from '../errors.ts';
import type { QmpClient } from '../qmp/client.ts';
import type { ExecuteOptions } from '../qmp/command.ts';
import type { EventFilter } from '../qmp/event.ts';
import type { SubscribeOptions } from '../qmp/event-hub.ts';
import type { EventSubscription } from '../qmp/event-subscription.ts';
import { asArray, asRecord, asText } from './answer.ts';
import { type BlockDevice, type BlockStats, parseBlockDevices, parseBlockStats } from './block-device.ts';
import { type BlockJob, parseBlockJobs } from './block-job.ts';
import { type Cpu, parseCpus } from './cpu.ts';
import { type PciDevice, parsePciDevices } from './pci-device.ts';

/**
 * `RunState` of QEMU (`query-status`). A state that a newer QEMU has and this list has not passes through as it is.
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
 * A running QEMU, seen over QMP: the sense of the word in libvirt and go-qemu. It owns its connection; {@link close} ends
 * that and leaves QEMU running.
 *
 * @example
 * const client = await QmpClient.connect({ kind: 'unix', path: '/run/qemu/web/qemu/qmp.sock' });
 * await using domain = new Domain(client, 'web');
 * console.log(await domain.status());
 */
export class Domain implements AsyncDisposable {
  readonly name: string;
  readonly client: QmpClient;
  #commands: Promise<ReadonlySet<string>> | undefined;

  constructor(client: QmpClient, name: string) {
    this.client = client;
    this.name = name;
  }

  /** Sends any command. The answer is what QEMU returned, without its envelope. */
  run(command: string, args?: Readonly<Record<string, unknown>>, options?: ExecuteOptions): Promise<unknown> {
    return this.client.executeRaw(command, args, options);
  }

  /** Names of all commands that this QEMU has, in its order. */
  async commands(): Promise<string[]> {
    return [...(await this.#commandNames())];
  }

  /** Whether this QEMU has the command. Asked once a connection. */
  async supported(command: string): Promise<boolean> {
    return (await this.#commandNames()).has(command);
  }

  /** Version of QEMU as `major.minor.micro`, from the greeting. */
  version(): string {
    const { major, minor, micro } = this.client.greeting.version;
    return `${major}.${minor}.${micro}`;
  }

  /** Version of the package that QEMU is from; empty for a build from its sources. */
  packageVersion(): string {
    return this.client.greeting.version.package;
  }

  async status(options?: ExecuteOptions): Promise<RunState> {
    const { status } = await this.client.execute('query-status', undefined, options);
    return status;
  }

  /** The drives, with and without a medium. */
  async blockDevices(): Promise<BlockDevice[]> {
    return parseBlockDevices(this, await this.run('query-block'));
  }

  /**
   * The drive with that name, id of its device, qdev path or node name.
   *
   * @throws {QemuError} `QEMU_MACHINE_UNKNOWN` when there is none.
   */
  async blockDevice(name: string): Promise<BlockDevice> {
    const found = (await this.blockDevices()).find((device) => device.isCalled(name));
    if (found) return found;
    throw new QemuError('QEMU_MACHINE_UNKNOWN', `Domain "${this.name}" has no block device "${name}"`);
  }

  async blockStats(): Promise<BlockStats[]> {
    return parseBlockStats(await this.run('query-blockstats'));
  }

  async blockJobs(): Promise<BlockJob[]> {
    return parseBlockJobs(this, await this.run('query-block-jobs'));
  }

  /** By `query-cpus-fast`, which does not interrupt the guest. */
  async cpus(): Promise<Cpu[]> {
    return parseCpus(await this.run('query-cpus-fast'));
  }

  /** All PCI devices, those behind bridges as well. Before the firmware ran, bridges have nothing behind them. */
  async pciDevices(): Promise<PciDevice[]> {
    return parsePciDevices(await this.run('query-pci'));
  }

  /**
   * A picture of the screen, taken by QEMU on this host.
   *
   * @param format `png` needs QEMU 7.1.
   * @returns the bytes of the picture.
   * @throws {QemuError} `QEMU_QMP_REFUSED` for a machine without a display.
   */
  async screenDump(format: 'png' | 'ppm' = 'png', options?: ExecuteOptions): Promise<Buffer> {
    // QEMU writes the file itself, as its user and from its folder: a path of our own, absolute and private.
    const folder = await mkdtemp(join(tmpdir(), 'qemu-init-screen-'));
    const filename = join(folder, `screen.${format}`);
    try {
      await this.run('screendump', { filename, format }, options);
      return await readFile(filename);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Presses the power button. QEMU answers at once, whether or not a guest is there to notice. */
  async systemPowerdown(options?: ExecuteOptions): Promise<void> {
    await this.client.execute('system_powerdown', undefined, options);
  }

  /** Presses the reset button. */
  async systemReset(options?: ExecuteOptions): Promise<void> {
    await this.client.execute('system_reset', undefined, options);
  }

  /** Events from now on, until the subscription or the connection ends. */
  events(filter?: EventFilter, options?: SubscribeOptions): EventSubscription {
    return this.client.events(filter, options);
  }

  /** Ends the connection; may be called twice. QEMU goes on. */
  close(): Promise<void> {
    return this.client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #commandNames(): Promise<ReadonlySet<string>> {
    this.#commands ??= this.run('query-commands').then(
      (answer) => new Set(asArray(answer).map((each) => asText(asRecord(each)['name']))),
    );
    return this.#commands;
  }
}
