import { availableParallelism } from 'node:os';
import { inspectMachineConfig, loadMachineConfig, loadMonitorConfig, loadRegistry } from '../config/load.ts';
import type { Inspection } from '../config/machine-config.ts';
import type { MachineConfig } from '../config/types.ts';
import { formatIssue } from '../config/issues.ts';
import { ConfigError, type ConfigIssue } from '../errors.ts';
import { type Host, type Notify, notRunning, type Target } from '../machine/host.ts';
import { buildOptions } from '../machine/argv/build.ts';
import type { Option } from '../machine/argv/option.ts';
import { locate, ProcessScan } from '../machine/locate.ts';
import { previewRequest } from '../machine/request.ts';
import { resolveRunAs, runAsPrefix } from '../machine/run-as.ts';
import { type StartOptions, type StartResult, startMachine } from '../machine/start.ts';
import { connectOwn, type MachineStatus, machineStatus } from '../machine/status.ts';
import { killMachine, type StopConfig, type StopOptions, type StopResult, stopMachine } from '../machine/stop.ts';
import type { QmpClient } from '../qmp/client.ts';
import { delay } from '../system/delay.ts';
import { machinePaths, type Paths } from '../system/paths.ts';
import { makeNetwork } from './network.ts';
import { byBootOrder } from './order.ts';
import { mapBounded } from './parallel.ts';
import { folderOf, namesInRunDir, resolveId, targetOfEntry } from './resolve.ts';

/** What became of one machine of many. */
export type Outcome<T> =
  | { readonly target: Target; readonly ok: true; readonly value: T }
  | { readonly target: Target; readonly ok: false; readonly error: unknown };

export interface ManyOptions {
  /** How many at a time; for starts the number of processors, for stops all of a boot order if not given. */
  readonly parallel?: number | undefined;
}

/** What runs, as data. */
export interface CommandLine {
  /** Program and options that QEMU is run by, with RUNAS; else empty. */
  readonly wrapper: readonly string[];
  readonly binary: string;
  readonly options: readonly Option[];
}

export interface StartManyOptions extends StartOptions, ManyOptions {
  /** Wait for each machine's BOOTDELAY before its start. */
  readonly withBootDelay?: boolean | undefined;
}

export interface StopManyOptions extends StopOptions, ManyOptions {
  /** Time that all guests together have to go down by themselves. */
  readonly deadlineMs?: number | undefined;
}

/** QEMU answers in a millisecond; one that is busy with a slow disk may take seconds. */
const MONITOR_TIMEOUT_MS = 10_000;

/** STOPDELAY and its kin of a machine whose file cannot be read. */
const FALLBACK_STOP = { stopDelaySeconds: 60, stopMethod: 'auto', preStop: [], postStop: [] } as const;

/** All machines of one scope. What is done to many gives one outcome each and never fails as a whole. */
export class Fleet {
  readonly host: Host;
  /** What is wrong in the registry, for `check`; entries that are all right are served nevertheless. */
  readonly registryIssues: readonly ConfigIssue[];
  readonly #entries: ReturnType<typeof loadRegistry>['entries'];

  /**
   * Reads the host's configuration: monitor.conf and the registry.
   *
   * @throws {ConfigError} when monitor.conf is wrong.
   */
  constructor(paths: Paths, notify: Notify = () => {}) {
    const registry = loadRegistry(paths.registryFile);
    this.#entries = registry.entries;
    this.registryIssues = registry.issues;
    this.host = { paths, monitor: loadMonitorConfig(paths.monitorFile), network: makeNetwork(paths, notify), notify };
  }

  /** The registered machines in the order of the registry. */
  list(): Target[] {
    return this.#entries.map((entry) => targetOfEntry(this.host.paths, entry));
  }

  /** The registered machines, and those that run without being registered. */
  listWithRunning(): Target[] {
    const registered = this.list();
    const known = new Set(registered.map(({ longName }) => longName));
    const others = namesInRunDir(this.host.paths).filter((name) => !known.has(name));
    const scan = new ProcessScan();
    const running = others.flatMap((longName): Target[] => {
      const files = machinePaths(this.host.paths, longName);
      const located = locate(files, scan);
      if (located.kind === 'stopped') return [];
      const configPath = located.record?.configPath ?? '';
      return [{ longName, shortName: undefined, configPath, files }];
    });
    return [...registered, ...running];
  }

  /**
   * The machine that an id means: short name, long name or path of a cfg file.
   *
   * @throws {QemuError} `QEMU_MACHINE_UNKNOWN`
   */
  get(id: string): Target {
    return resolveId(this.host.paths, this.#entries, id, process.cwd());
  }

  /**
   * The configuration of a machine, with the host's defaults.
   *
   * @throws {ConfigError} with all that is wrong in it.
   */
  config(target: Target): MachineConfig {
    return loadMachineConfig(target.configPath, this.host.paths.defaultsFile);
  }

  /** The configuration as far as it goes, and what is wrong with it. Never throws. */
  inspect(target: Target): Inspection {
    return inspectMachineConfig(target.configPath, this.host.paths.defaultsFile);
  }

  async start(target: Target, options: StartOptions = {}): Promise<StartResult> {
    const { config, issues } = this.inspect(target);
    if (!config) {
      throw new ConfigError(`Cannot start machine "${target.longName}"`, issues);
    }
    for (const issue of issues) {
      this.host.notify({ level: 'warning', machine: target.longName, message: issue.message });
    }
    return startMachine(this.host, target, config, options);
  }

  stop(target: Target, options: StopOptions = {}): Promise<StopResult> {
    return stopMachine(this.host, target, this.stopConfig(target), options);
  }

  /** What a start would run, or of a running machine what a start would run in its slot; each option with its key. */
  async commandLine(target: Target): Promise<CommandLine> {
    const config = this.config(target);
    const request = await previewRequest(this.host, target, config);
    const wrapper = runAsPrefix(await resolveRunAs(config));
    return { wrapper, binary: request.binary, options: buildOptions(request) };
  }

  kill(target: Target, signal?: AbortSignal): Promise<StopResult> {
    return killMachine(this.host, target, signal);
  }

  /** Whether the machine's QEMU lives. */
  isAlive(target: Target): boolean {
    return locate(target.files).kind === 'alive';
  }

  /**
   * Does something on a short connection to the machine's own socket.
   *
   * @throws {QemuError} `QEMU_NOT_RUNNING`, and what `work` throws.
   */
  async withMonitor<T>(target: Target, work: (client: QmpClient) => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (!this.isAlive(target)) throw notRunning(target);
    const client = await connectOwn(target.files, MONITOR_TIMEOUT_MS, signal);
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  }

  /** Starts machines, those of a lower BOOTORDER first. */
  async startMany(targets: readonly Target[], options: StartManyOptions = {}): Promise<Outcome<StartResult>[]> {
    const { parallel = availableParallelism(), withBootDelay = false, ...startOptions } = options;
    return this.inOrder(targets, false, parallel, async (target) => {
      if (withBootDelay && !this.isAlive(target)) {
        await delay((this.inspect(target).config?.bootDelaySeconds ?? 0) * 1000, options.signal);
      }
      return this.start(target, startOptions);
    });
  }

  /** Stops machines, those of a higher BOOTORDER first, all of one order at the same time. */
  async stopMany(targets: readonly Target[], options: StopManyOptions = {}): Promise<Outcome<StopResult>[]> {
    const { parallel = targets.length, deadlineMs, ...stopOptions } = options;
    const deadline = deadlineMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + deadlineMs;
    return this.inOrder(targets, true, parallel, (target) => {
      const wanted = stopOptions.stopDelayMs ?? this.stopConfig(target).stopDelaySeconds * 1000;
      return this.stop(target, { ...stopOptions, stopDelayMs: Math.max(0, Math.min(wanted, deadline - performance.now())) });
    });
  }

  /** Looks at machines, all at the same time, and at their files. */
  async statusMany(targets: readonly Target[]): Promise<Outcome<MachineStatus & { readonly problems: readonly string[] }>[]> {
    const scan = new ProcessScan();
    return this.each(targets, targets.length, async (target) => ({
      ...(await machineStatus(this.host, target, scan)),
      problems: this.inspect(target).issues.map(formatIssue),
    }));
  }

  /** Does something to every machine, whatever becomes of the others. Results in the order of `targets`. */
  each<T>(targets: readonly Target[], parallel: number, work: (target: Target) => Promise<T>): Promise<Outcome<T>[]> {
    return mapBounded(targets, parallel, async (target): Promise<Outcome<T>> => {
      try {
        return { target, ok: true, value: await work(target) };
      } catch (error) {
        return { target, ok: false, error };
      }
    });
  }

  private async inOrder<T>(
    targets: readonly Target[],
    reverse: boolean,
    parallel: number,
    work: (target: Target) => Promise<T>,
  ): Promise<Outcome<T>[]> {
    const groups = byBootOrder(targets, (target) => this.inspect(target).config?.bootOrder ?? DEFAULT_BOOT_ORDER);
    const outcomes = new Map<Target, Outcome<T>>();
    for (const group of reverse ? groups.toReversed() : groups) {
      for (const outcome of await this.each(group, parallel, work)) outcomes.set(outcome.target, outcome);
    }
    return targets.flatMap((target) => outcomes.get(target) ?? []);
  }

  private stopConfig(target: Target): StopConfig {
    return this.inspect(target).config ?? { ...FALLBACK_STOP, dir: folderOf(target.configPath) || '/' };
  }
}

const DEFAULT_BOOT_ORDER = 50;
