import { dirname } from 'node:path';
import { ConfigError } from '../base/config-error.ts';
import { QemuError } from '../base/errors.ts';
import type { Problem } from '../base/problem.ts';
import type { DiskConfig } from '../config/device-config.ts';
import type { Inspection } from '../config/machine-config.ts';
import type { MonitorConfig } from '../config/monitor-config.ts';
import { parseMonitorConfig } from '../config/monitor-config.ts';
import { quickDisks } from '../config/quick-disks.ts';
import type { MachineConfig } from '../config/types.ts';
import { readConfigText } from '../machine/config-text.ts';
import type { MachineContext, MachineRef, Notify } from '../machine/context.ts';
import { inspectMachineConfig, loadMachineConfig, loadMonitorConfig, loadRegistry } from '../machine/load-config.ts';
import { locate, ProcessScan } from '../machine/run/locate.ts';
import { readRecord } from '../machine/run/record.ts';
import type { StopSettings } from '../machine/run/stop-settings.ts';
import { machinePaths, type Paths, resolvePaths } from '../system/paths.ts';
import { trustFolder, trustPath } from '../system/trust/trusted-path.ts';
import { makeNetwork } from './network.ts';
import { folderOf, namesInRunDir, newTarget, resolveId, resolveOfUnit, targetOfEntry } from './resolve.ts';
import { machineWithDisk, type OtherMachine, storageIssues } from './storage.ts';

const DEFAULT_BOOT_ORDER = 50;

/** For a machine whose file cannot be read and whose record is lost. */
const FALLBACK_STOP = {
  stopDelaySeconds: 60,
  stopMethod: 'auto',
  onShutdown: 'shutdown',
  preStop: [],
  postStop: [],
  bootOrder: DEFAULT_BOOT_ORDER,
  requires: [],
} as const;

/** The machines of one scope with their files, and what their operations need to know of the host. */
export class Machines {
  readonly host: MachineContext;
  /** Mistakes in monitor.conf. They prevent only starts: running machines can still be inspected and stopped. */
  readonly monitorError: ConfigError | undefined;
  #registry: ReturnType<typeof loadRegistry>;

  /**
   * Reads the host's configuration: monitor.conf and the registry.
   *
   * @throws {QemuError} `QEMU_NOT_PERMITTED` when the caller may not read monitor.conf, or other users may write to one
   * of the folders of this scope.
   */
  constructor(paths: Paths, notify: Notify) {
    for (const folder of [paths.runDir, paths.stateDir]) trustPath(folder);
    trustFolder(paths.logDir);
    this.#registry = loadRegistry(paths.registryFile);
    const { monitor, error } = readMonitor(paths.monitorFile);
    this.monitorError = error;
    this.host = {
      paths,
      monitor,
      network: makeNetwork(paths, notify),
      storageInUse: (config) => storageIssues(paths, config, this.#others(config)),
      otherWithDisk: (config) => {
        let others: readonly OtherMachine[] | undefined;
        return (file) => {
          others ??= this.#others(config);
          return machineWithDisk(file, others);
        };
      },
      moves: {
        settleAt: async (root, longName, limits) => {
          const { dropStaleLock } = await import('../machine/run/run-lock.ts');
          const { settle } = await import('../machine/work/settle.ts');
          const there = Machines.at(root, notify);
          const registered = there.list().find((each) => each.longName === longName);
          const target = registered ?? newTarget(there.host.paths, longName, undefined);
          await settle(there.host, target, { ...limits, cancel: true });
          // No command will be for a machine that is not there.
          if (registered === undefined) await dropStaleLock(there.host, target);
        },
        tell: async (place, move, limits) => {
          const { tellPlace } = await import('./move/tell-place.ts');
          await tellPlace({ paths, notify }, place, move, limits);
        },
        forget: async (target, cfg) => {
          const { forgetMachine } = await import('./move/places.ts');
          await forgetMachine(paths, target, cfg);
          this.readRegistry();
        },
      },
      notify,
    };
  }

  /** Reads the registry again, which has been changed. */
  readRegistry(): void {
    this.#registry = loadRegistry(this.host.paths.registryFile);
  }

  /** Mistakes in the registry, for `check`; its valid entries can be used nevertheless. */
  get registryIssues(): readonly Problem[] {
    return this.#registry.issues;
  }

  /** The machines below another root folder of this host. @throws {QemuError} as the constructor. */
  static at(root: string, notify: Notify): Machines {
    const { path } = trustPath(root);
    return new Machines(resolvePaths({ root: path }, {}, process.getuid?.() ?? 0, '/'), notify);
  }

  /** The registered machines in the order of the registry. */
  list(): MachineRef[] {
    return this.#registry.entries.map((entry) => targetOfEntry(this.host.paths, entry));
  }

  /** The long names of all registered machines. */
  registeredNames(): string[] {
    return this.#registry.entries.map(({ longName }) => longName);
  }

  /** The registered machines, and those that run without being registered. */
  listWithRunning(): MachineRef[] {
    const registered = this.list();
    const known = new Set(registered.map(({ longName }) => longName));
    const others = namesInRunDir(this.host.paths).filter((name) => !known.has(name));
    const scan = new ProcessScan();
    const running = others.flatMap((longName): MachineRef[] => {
      const files = machinePaths(this.host.paths, longName);
      const located = locate(files, scan);
      if (located.kind === 'stopped') return [];
      const configPath = located.record?.configPath ?? '';
      return [{ longName, shortName: undefined, configPath, files }];
    });
    return [...registered, ...running];
  }

  /**
   * The machine with that id: short name, long name or path of a cfg file.
   *
   * @throws {QemuError} `QEMU_MACHINE_UNKNOWN`
   */
  get(id: string): MachineRef {
    return resolveId(this.host.paths, this.#registry.entries, id, process.cwd());
  }

  /**
   * The machine of a unit, by its long name alone: a short name may be the same as the long name of one that runs.
   *
   * @throws {QemuError} `QEMU_MACHINE_UNKNOWN`
   */
  getOfUnit(longName: string): MachineRef {
    return resolveOfUnit(this.host.paths, this.#registry.entries, longName);
  }

  /**
   * The configuration of a machine, with the host's defaults.
   *
   * @throws {ConfigError} with all its mistakes.
   */
  config(target: MachineRef): MachineConfig {
    const { refusal } = this.#registry;
    if (refusal) throw new ConfigError(`Cannot use "${target.configPath}"`, [refusal]);
    return loadMachineConfig(target.configPath, this.host.paths.defaultsFile);
  }

  /** The configuration, if it could be read, and its mistakes. Never throws. */
  inspect(target: MachineRef): Inspection {
    const { refusal } = this.#registry;
    if (refusal) return { issues: [refusal] };
    return inspectMachineConfig(target.configPath, this.host.paths.defaultsFile);
  }

  /** Whether the machine's QEMU is running. */
  isAlive(target: MachineRef): boolean {
    return locate(target.files).kind === 'alive';
  }

  /** The configurations that can be read of some of them, by long name. */
  configs(targets: readonly MachineRef[]): ReadonlyMap<string, MachineConfig> {
    return new Map(
      targets.flatMap((target) => {
        const { config } = this.inspect(target);
        return config === undefined ? [] : [[target.longName, config] as const];
      }),
    );
  }

  /** The file as it is now; when it is broken or gone, what the run was started with. */
  stopSettings(target: MachineRef): StopSettings {
    const { config } = this.inspect(target);
    if (config) return config;
    return keptSettings(target) ?? { ...FALLBACK_STOP, dir: folderOf(target.configPath) || '/' };
  }

  /** The other machines whose files can be read. */
  #others({ longName }: MachineConfig): OtherMachine[] {
    const scan = new ProcessScan();
    const targets = this.listWithRunning().filter((target) => target.longName !== longName);
    return targets.flatMap((target): OtherMachine[] => {
      // A start has just looked for its own machine, and a hundred starts need not look a hundred times.
      const isAway = locate(target.files, scan, true).kind !== 'alive';
      const disks = isAway ? this.#quickDisks(target) : undefined;
      if (disks) return [{ config: { longName: target.longName, disks, cdroms: [] }, isAway }];
      const { config } = this.inspect(target);
      return config === undefined ? [] : [{ config, isAway }];
    });
  }

  #quickDisks({ configPath }: MachineRef): DiskConfig[] | undefined {
    const read = configPath.endsWith('.cfg') ? readConfigText(configPath) : undefined;
    return read && 'text' in read ? quickDisks(read.text, dirname(configPath)) : undefined;
  }
}

function keptSettings({ files }: MachineRef): StopSettings | undefined {
  try {
    return readRecord(files)?.stop;
  } catch (error) {
    // Not readable by this user, who cannot stop the machine either.
    if (!(error instanceof QemuError)) throw error;
    return undefined;
  }
}

/** monitor.conf, or what its absence would mean when it is wrong. */
function readMonitor(path: string): { monitor: MonitorConfig; error: ConfigError | undefined } {
  try {
    return { monitor: loadMonitorConfig(path), error: undefined };
  } catch (error) {
    const { config } = parseMonitorConfig('', path);
    if (!(error instanceof ConfigError) || !config) throw error;
    return { monitor: config, error };
  }
}
