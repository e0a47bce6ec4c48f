import { setMaxListeners } from 'node:events';
import { availableParallelism } from 'node:os';
import { checkTimeout, delay } from '../base/abort.ts';
import { ConfigError } from '../base/config-error.ts';
import { QemuError } from '../base/errors.ts';
import type { Problem } from '../base/problem.ts';
import type { LongWorkOptions } from '../base/progress.ts';
import type { Inspection } from '../config/machine-config.ts';
import { formatIssue } from '../config/text/issues.ts';
import type { MachineConfig } from '../config/types.ts';
import { Domain } from '../domain/domain.ts';
import { buildOptions } from '../machine/argv/build.ts';
import type { Option } from '../machine/argv/option.ts';
import { type MachineContext, type MachineRef, type Notify, notRunning } from '../machine/context.ts';
import { type AgentOptions, openAgentOf } from '../machine/control/agent.ts';
import { openControl, withOwnMonitor } from '../machine/control/control-port.ts';
import { type BackupId, Backups } from '../machine/library/backups.ts';
import { Machine } from '../machine/library/machine.ts';
import { limitPrefix, pinPrefix } from '../machine/limits/limit-prefix.ts';
import { dropMove } from '../machine/move/refuse-moved.ts';
import { describeFull } from '../machine/observe/disk-room.ts';
import { type MachineStatus, machineStatus } from '../machine/observe/status.ts';
import { hasJournal } from '../machine/plug/has-journal.ts';
import { readFrozenMark } from '../machine/quiesce/frozen-mark.ts';
import { type Quiesced, type QuiesceOptions, whileQuiet } from '../machine/quiesce/quiesce.ts';
import { lostHelpers } from '../machine/run/helpers.ts';
import { ProcessScan } from '../machine/run/locate.ts';
import { lostFiles } from '../machine/run/lost-files.ts';
import { previewRequest } from '../machine/start/launch-request.ts';
import { ensureOwnUser } from '../machine/start/own-user.ts';
import { previewRunAsPrefix } from '../machine/start/run-as.ts';
import { alreadyRunning, type StartOptions, type StartResult, startMachine } from '../machine/start/start.ts';
import { surroundingsPrefix } from '../machine/start/surroundings.ts';
import { type SaveResult, saveMachine } from '../machine/state/save-machine.ts';
import { checkStopOptions, killMachine, type StopOptions, type StopResult, stopMachine } from '../machine/stop/stop.ts';
import { settleFirst } from '../machine/work/settle-first.ts';
import type { AgentClient } from '../qmp/agent/agent-client.ts';
import type { QmpClient } from '../qmp/client.ts';
import { type Paths, resolvePaths } from '../system/paths.ts';
import { isHostStopping } from '../system/services/host-stopping.ts';
import { tellOpenRcStarted } from '../system/services/openrc.ts';
import { trustPath } from '../system/trust/trusted-path.ts';
import { explainFailures, whyNotStarted } from './check/why-not-started.ts';
import { clusterResources, resourceOf } from './cluster/cib.ts';
import { Machines } from './machines.ts';
import type { MigrateOptions, MigrateResult } from './move/migrate.ts';
import type { Restored, RestoreOptions } from './restore/restored.ts';
import type { Outcome } from './schedule/outcome.ts';
import { dependentsOf, withRequired } from './schedule/requires.ts';
import { attempt, byBootOrder, checkParallel, limiter, runOrdered } from './schedule/run-in-order.ts';
import { type RestartState, restartState } from './service/restart-state.ts';
import { findServices, moveIntoUnit, type Services } from './service/services.ts';
import { lastStartFailure, type StartFailure } from './service/start-failure.ts';

/** How many machines at a time. */
export interface ManyOptions {
  /** How many at a time (default: for starts the number of processors, for stops all of a boot order). */
  readonly parallel?: number | undefined;
}

/** What runs, as data. */
export interface CommandLine {
  /** Program and options that run QEMU, with RUNAS; else empty. */
  readonly wrapper: readonly string[];
  readonly binary: string;
  readonly options: readonly Option[];
}

/** How to start several machines. */
export interface StartManyOptions extends StartOptions, ManyOptions {
  /** Wait for each machine's BOOTDELAY before its start. */
  readonly withBootDelay?: boolean | undefined;
  /** Fail if a required machine is not running, instead of starting it. */
  readonly alone?: boolean | undefined;
}

/** How to stop several machines. */
export interface StopManyOptions extends StopOptions, ManyOptions {
  /** Time for all machines together: for their PRESTOP, and for their guests to shut down. */
  readonly deadlineMs?: number | undefined;
}

/** The state of a machine and of its file. */
export interface FleetStatus extends MachineStatus {
  /** Whether RESTART is about to restart a machine that has ended, or has given up; undefined: neither. */
  readonly restart: RestartState | undefined;
  /** Why the last start failed, if the machine has not run since; undefined if unknown. */
  readonly startFailure: StartFailure | undefined;
  /** Mistakes in its file, and problems of the running machine. */
  readonly problems: readonly string[];
}

/** Loaded only for a machine with hardware that came or went. */
async function leavingOf(target: MachineRef): Promise<readonly string[]> {
  const { leavingProblems } = await import('../machine/plug/leaving.ts');
  return leavingProblems(target);
}

function afterRoom({ longName }: MachineRef): string {
  return `when there is room: qemu-init resume ${longName}`;
}

/** What is left of a machine whose sockets are gone. */
const REMAINS =
  'it has no console, and a stop asks its guest over the monitor ports, if any; a restart creates them again';

/** QEMU answers in a millisecond; one that is busy with a slow disk may take seconds. */
const MONITOR_TIMEOUT_MS = 10_000;

const DEFAULT_BOOT_ORDER = 50;

/** Which machines {@link Fleet.open} opens, and how. */
export interface FleetOptions {
  /** Folder that contains everything (default: `QEMU_INIT_ROOT`). */
  readonly root?: string | undefined;
  /**
   * The host's machines or the caller's own (default without a root folder: the host's for root, else the caller's).
   */
  readonly scope?: 'system' | 'user' | undefined;
  /** Called with notices for people before the result is there. */
  readonly notify?: Notify | undefined;
  /** `none`: this process starts machines itself, even where systemd runs them as units. */
  readonly services?: 'auto' | 'none' | undefined;
}

/** What {@link Fleet} is constructed with to be as the options say. @throws as {@link Fleet.open}. */
export function fleetArguments(options: FleetOptions): ConstructorParameters<typeof Fleet> {
  const { root, scope, notify, services } = options;
  const forced = { system: scope === 'system', user: scope === 'user' };
  const named = root ?? (scope === undefined ? process.env['QEMU_INIT_ROOT'] || undefined : undefined);
  // Without links: machines are recognised by paths on their command lines, so one root must not have two spellings.
  const folder = named === undefined ? undefined : trustPath(named).path;
  const paths = resolvePaths({ root: folder, ...forced }, process.env, process.getuid?.() ?? 0, process.cwd());
  return [paths, notify, services === 'none' ? undefined : findServices(paths)];
}

/**
 * All machines of one scope. Operations on several machines return one outcome each and never fail as a whole.
 *
 * @example
 * import { Fleet } from 'qemu-init';
 *
 * const fleet = Fleet.open();
 * for (const outcome of await fleet.startMany(fleet.list())) {
 *   console.log(outcome.target.longName, outcome.ok ? outcome.value.outcome : outcome.error.message);
 * }
 */
export class Fleet {
  /** The machines, their files and what they need to know about the host. */
  readonly machines: Machines;
  readonly #services: Services | undefined;

  /**
   * The machines of this host, of the caller, or below a folder. Where systemd runs, starts and stops go through the
   * units.
   *
   * @throws {QemuError} `QEMU_USAGE` when the user scope has no home folder, `QEMU_NOT_PERMITTED` when the caller may
   * not read monitor.conf, or other users may write to one of the folders.
   */
  static open(options: FleetOptions = {}): Fleet {
    return new Fleet(...fleetArguments(options));
  }

  /**
   * Reads the host's configuration: monitor.conf and the registry.
   *
   * @param services the service manager that starts the machines, if they are its units.
   * @throws {QemuError} `QEMU_NOT_PERMITTED` when the caller may not read monitor.conf, or other users may write to one
   * of the folders of this scope.
   */
  constructor(paths: Paths, notify: Notify = () => {}, services?: Services) {
    this.#services = services;
    this.machines = new Machines(paths, notify);
  }

  /** What operations on a machine need to know about the host. */
  get host(): MachineContext {
    return this.machines.host;
  }

  /** Mistakes in the registry, for `check`; its valid entries can be used nevertheless. */
  get registryIssues(): readonly Problem[] {
    return this.machines.registryIssues;
  }

  /** Mistakes in monitor.conf. They prevent only starts: running machines can still be inspected and stopped. */
  get monitorError(): ConfigError | undefined {
    return this.machines.monitorError;
  }

  /** The registered machines in the order of the registry. */
  list(): MachineRef[] {
    return this.machines.list();
  }

  /** The registered machines, and those that run without being registered. */
  listWithRunning(): MachineRef[] {
    return this.machines.listWithRunning();
  }

  /**
   * The machine with that id: short name, long name or path of a cfg file.
   *
   * @throws {QemuError} `QEMU_MACHINE_UNKNOWN`
   */
  get(id: string): MachineRef {
    return this.machines.get(id);
  }

  /** {@link get}, when what a killed command left of its work on that machine is set right. @throws as it does. */
  async settled(id: string): Promise<MachineRef> {
    const target = this.get(id);
    await settleFirst(this.host, target);
    return target;
  }

  /**
   * The configuration of a machine, with the host's defaults.
   *
   * @throws {ConfigError} with all its mistakes.
   */
  config(target: MachineRef): MachineConfig {
    return this.machines.config(target);
  }

  /** The configuration, if it could be read, and its mistakes. Never throws. */
  inspect(target: MachineRef): Inspection {
    return this.machines.inspect(target);
  }

  /** The backups in a folder, of machines that are known here and of others. */
  backups(dest: string): Backups {
    return new Backups(dest, (id) => this.list().find(({ shortName }) => shortName === id)?.longName);
  }

  /**
   * Restores a machine from a backup: over the stopped machine of that name, or as a new one, which is registered.
   *
   * @param dest folder of the backups.
   * @throws {QemuError} as `restoreBackup` of fleet/restore: `QEMU_MACHINE_UNKNOWN`, `QEMU_MACHINE_STATE` when the machine
   * runs, `QEMU_IO` when a file is in the way or the backup is damaged, `QEMU_NOT_PERMITTED`, `QEMU_CONFIG_INVALID`,
   * `QEMU_COMMAND_FAILED`, `QEMU_LOCKED`, `QEMU_ABORTED`: everything is as before then.
   */
  async restore(dest: string, id: BackupId, options: RestoreOptions = {}): Promise<Restored> {
    const { restoreBackup } = await import('./restore/restore.ts');
    return restoreBackup(this.machines, this.backups(dest), id, options);
  }

  /** Whether the machine's QEMU is running. */
  isAlive(target: MachineRef): boolean {
    return this.machines.isAlive(target);
  }

  /**
   * Starts a machine and returns when its QEMU answers. A running machine is left alone.
   *
   * @throws {ConfigError} when its configuration has mistakes, or names what this host does not have.
   * @throws {LaunchError} when QEMU does not come up; everything is undone then.
   * @throws {QemuError} `QEMU_NOT_INSTALLED`, `QEMU_COMMAND_FAILED` for a failing PRECMD, `QEMU_ABORTED`,
   * `QEMU_LOCKED`.
   */
  async start(target: MachineRef, options: StartOptions = {}): Promise<StartResult> {
    try {
      const result = await this.#start(target, options);
      if (result.outcome === 'already-running') this.#tellLost(target);
      return result;
    } catch (error) {
      throw await whyNotStarted(this.machines, target, error);
    }
  }

  async #start(target: MachineRef, options: StartOptions): Promise<StartResult> {
    const { config, issues } = this.inspect(target);
    if (!config) {
      const running = alreadyRunning(target);
      if (running) return running;
      throw new ConfigError(`Cannot start machine "${target.longName}"`, issues);
    }
    if (this.monitorError && !this.isAlive(target)) throw this.monitorError;
    if (options.iKnow === true) await dropMove(this.host, target);
    for (const issue of issues) {
      this.host.notify({ level: 'warning', machine: target.longName, message: issue.message });
    }
    if (this.#services) {
      // A unit may not change the users of the host.
      if (process.getuid?.() === 0) await ensureOwnUser(config);
      const message = 'systemd starts it; the steps are in the journal of its unit';
      this.host.notify({ level: 'debug', machine: target.longName, message });
      const told = issues.map((issue) => issue.message);
      return this.#services.start(this.host, target, { ...options, told });
    }
    const onUp = ({ pid }: { readonly pid: number }): Promise<void> =>
      moveIntoUnit(this.host, target, pid, options.signal);
    const result = await startMachine(this.host, target, config, { ...options, onUp });
    if (this.host.paths.scope === 'system') tellOpenRcStarted('qemu-init');
    return result;
  }

  /**
   * Stops a machine in steps of increasing force, and reports which one ended it. If it is not running, that is a
   * success.
   *
   * @throws {QemuError} `QEMU_STOP_FAILED` when it still runs, `QEMU_ABORTED`, `QEMU_LOCKED`, `QEMU_NOT_PERMITTED`.
   */
  async stop(target: MachineRef, options: StopOptions = {}): Promise<StopResult> {
    const settings = this.machines.stopSettings(target);
    if (this.inspect(target).config === undefined && this.isAlive(target)) {
      const message = `"${target.configPath}" cannot be used: stopping with the settings of the last start`;
      this.host.notify({ level: 'warning', machine: target.longName, message });
    }
    const settle = this.#services?.stopping(target);
    const isAsked = options.force !== true && options.noKill !== true && options.save === undefined;
    const save = isAsked ? await this.isToBeSaved(target) : options.save;
    const result = await stopMachine(this.host, target, settings, { ...options, save });
    await settle?.(result.rung);
    return result;
  }

  /**
   * Saves the state of a running guest to the disk and ends its QEMU; the next start goes on from there, also after a
   * reboot of the host.
   *
   * @throws {QemuError} `QEMU_NOT_RUNNING`; `QEMU_MACHINE_STATE` for one that cannot be saved, `QEMU_IO` without room,
   * `QEMU_COMMAND_FAILED`, `QEMU_LOCKED`, `QEMU_ABORTED`: the guest then goes on as before.
   */
  async save(target: MachineRef, options: LongWorkOptions = {}): Promise<SaveResult> {
    const settle = this.#services?.stopping(target);
    const result = await saveMachine(this.host, target, this.machines.stopSettings(target), options);
    if (result.outcome === 'saved') await settle?.('save');
    return result;
  }

  /**
   * Moves a running machine to another place while its guest goes on: `root:DIR`, another root folder on this host. It is
   * registered there then, and no longer here.
   *
   * @throws {QemuError} `QEMU_USAGE` for another destination; `QEMU_NOT_RUNNING`; `QEMU_MACHINE_STATE` with all that is in
   * the way; `QEMU_COMMAND_FAILED`, `QEMU_TIMEOUT`, `QEMU_LOCKED`, `QEMU_ABORTED`: the guest then goes on here.
   */
  async migrate(target: MachineRef, destination: string, options: MigrateOptions = {}): Promise<MigrateResult> {
    const { migrateMachine } = await import('./move/migrate.ts');
    const settle = this.#services?.stopping(target);
    const result = await migrateMachine(this.machines, target, destination, options);
    if (result.outcome === 'moved') await settle?.('save');
    return result;
  }

  /** Whether a stop now is one by a shutdown of the host, at which the machine is to be saved (ONSHUTDOWN=save). */
  async isToBeSaved(target: MachineRef): Promise<boolean> {
    if (this.machines.stopSettings(target).onShutdown !== 'save' || !(await isHostStopping())) return false;
    // Another node would not find the saved state, and would start the guest as after a power cut.
    return resourceOf(clusterResources(this.host.paths), target) === undefined;
  }

  /** Whether a stop of the machine also runs commands from its file. */
  hasStopHooks(target: MachineRef): boolean {
    const { preStop, postStop } = this.machines.stopSettings(target);
    return preStop.length + postStop.length > 0;
  }

  /**
   * Asks a guest to shut down, waits for at most its STOPDELAY and `mostMs`, and uses no force.
   *
   * @throws {QemuError} as {@link Fleet.stop}.
   */
  async ask(target: MachineRef, mostMs: number, onDown: (result: StopResult) => void): Promise<StopResult> {
    const settings = this.machines.stopSettings(target);
    const stopDelayMs = Math.min(settings.stopDelaySeconds * 1000, mostMs);
    return stopMachine(this.host, target, settings, { noKill: true, stopDelayMs, onDown });
  }

  /** What a start would run, for a running machine in its present slot; each option with its key. */
  async commandLine(target: MachineRef): Promise<CommandLine> {
    const config = this.config(target);
    if (this.monitorError) throw this.monitorError;
    const request = await previewRequest(this.host, target, config);
    const prefix = await previewRunAsPrefix(config, request.accelerator);
    // A unit prepares its surroundings itself.
    const isDirect = this.#services === undefined;
    const limits = isDirect ? await limitPrefix(this.host, config) : { scope: [], pin: pinPrefix(config) };
    const wrapper = [
      ...limits.scope,
      ...limits.pin,
      ...(isDirect && prefix.length > 0 ? await surroundingsPrefix(this.host.paths, config, target.files, {}) : []),
      ...prefix,
    ];
    return { wrapper, binary: request.binary, options: buildOptions(request) };
  }

  /**
   * Ends a machine's QEMU at once with SIGKILL, even while another command is at work on the machine.
   *
   * @throws {QemuError} `QEMU_STOP_FAILED`, `QEMU_ABORTED`, `QEMU_NOT_PERMITTED`.
   */
  async kill(target: MachineRef, signal?: AbortSignal): Promise<StopResult> {
    const settle = this.#services?.stopping(target);
    const result = await killMachine(this.host, target, signal);
    await settle?.(result.rung);
    return result;
  }

  /**
   * Connects to a running machine over QMP; the caller closes the connection.
   *
   * @throws {QemuError} `QEMU_NOT_RUNNING`, `QEMU_TIMEOUT` when other clients hold the control port,
   * `QEMU_CONFIG_INVALID` without a control port (MONITOR=off).
   */
  async domain(target: MachineRef, signal?: AbortSignal): Promise<Domain> {
    const client = await openControl(target, { timeoutMs: MONITOR_TIMEOUT_MS, signal });
    // A QEMU in a unit has a private /tmp.
    return new Domain(client, target.longName, target.files.dir);
  }

  /**
   * A session with the agent in a running machine's guest (QGA=on); the caller closes it. An agent serves one client at
   * a time, `stop` among them: keep it short.
   *
   * @throws {QemuError} `QEMU_NO_AGENT` without an agent that answers within 3 s or the time limit; `QEMU_NOT_RUNNING`,
   * `QEMU_NOT_PERMITTED`, `QEMU_ABORTED`, `QEMU_USAGE`.
   */
  agent(target: MachineRef, options: AgentOptions = {}): Promise<AgentClient> {
    return openAgentOf(this.host, target, options);
  }

  /**
   * Does something while the file systems of a guest are frozen through its agent, such as a snapshot of the storage that
   * its disks are on. They are thawed in every case, and after SIGKILL of this process by the next command.
   *
   * @throws {QemuError} as {@link agent} and `QEMU_COMMAND_FAILED` with `quiesce: 'on'`; and what `body` throws.
   */
  whileQuiet<T>(target: MachineRef, body: () => Promise<T>, options: QuiesceOptions): Promise<Quiesced<T>> {
    return whileQuiet(this.host, target, options, body);
  }

  /**
   * A machine to be controlled by a program: launched, queried, watched and shut down.
   *
   * @throws {ConfigError} with all that is wrong in its configuration.
   */
  machine(target: MachineRef): Machine {
    return new Machine(this.host, target, this.config(target), {
      quit: async (signal) => void (await this.stop(target, { force: true, signal })),
      start: async (signal) => void (await this.start(target, { signal })),
    });
  }

  /**
   * Does something on a short connection to the machine's own socket, or to its control port if the socket is missing
   * or in use.
   *
   * @throws {QemuError} `QEMU_NOT_RUNNING`, and what `work` throws.
   */
  async withMonitor<T>(target: MachineRef, work: (client: QmpClient) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return withOwnMonitor(this.host, target, { timeoutMs: MONITOR_TIMEOUT_MS, signal }, work);
  }

  /**
   * Starts machines, after those that they require, in the order of BOOTORDER. A required machine that was running
   * already is in the outcomes only if it was asked for.
   */
  async startMany(targets: readonly MachineRef[], options: StartManyOptions = {}): Promise<Outcome<StartResult>[]> {
    const { parallel = availableParallelism(), withBootDelay = false, alone = false, ...startOptions } = options;
    checkParallel(options.parallel);
    const signal = sharedSignal(options.signal);
    const asked = new Set(targets.map(({ longName }) => longName));
    const required = withRequired(targets, (target) => this.#requiredBy(target));
    const outcomes = await runOrdered<StartResult>({
      groups: byBootOrder(required.targets, (target) => this.#bootOrder(target)),
      before: required.of,
      parallel,
      work: async (target) => {
        if (required.errors.has(target.longName)) throw required.errors.get(target.longName);
        if (alone && !asked.has(target.longName) && !this.isAlive(target)) throw notRunning(target);
        if (withBootDelay && !this.isAlive(target)) await delay(this.#bootDelayMs(target), signal);
        // Options such as --paused are for the chosen machines, not for those that they require.
        const result = await this.#start(target, asked.has(target.longName) ? { ...startOptions, signal } : { signal });
        if (result.outcome === 'already-running') this.#tellLost(target);
        return result;
      },
      blocked: (target, by) =>
        new QemuError(
          'QEMU_LAUNCH_FAILED',
          `Machine "${target.longName}" requires "${by.longName}", which did not start`,
        ),
    });
    const told = required.targets.flatMap((target) => {
      const outcome = outcomes.get(target);
      const pulledIn =
        !asked.has(target.longName) && outcome?.ok === true && outcome.value.outcome === 'already-running';
      return outcome === undefined || pulledIn ? [] : [outcome];
    });
    return explainFailures(this.machines, told);
  }

  /**
   * Stops machines, those with a higher BOOTORDER first and all of one order at the same time, but a required machine
   * after those that require it.
   */
  async stopMany(targets: readonly MachineRef[], options: StopManyOptions = {}): Promise<Outcome<StopResult>[]> {
    const { parallel = targets.length, deadlineMs, ...stopOptions } = options;
    checkParallel(options.parallel);
    checkStopOptions(options);
    if (deadlineMs !== undefined) checkTimeout(deadlineMs, 'deadlineMs');
    const signal = sharedSignal(options.signal);
    const deadline = deadlineMs === undefined ? options.deadline : performance.now() + deadlineMs;
    const dependents = dependentsOf(targets, (target) => this.machines.stopSettings(target).requires);
    const outcomes = await runOrdered<StopResult>({
      groups: byBootOrder(targets, (target) => this.machines.stopSettings(target).bootOrder).toReversed(),
      before: (target) => dependents.get(target.longName) ?? [],
      parallel,
      work: (target) => this.stop(target, { ...stopOptions, deadline, signal }),
      // A machine that hangs must not keep the others from being stopped.
      blocked: () => undefined,
    });
    return targets.flatMap((target) => outcomes.get(target) ?? []);
  }

  /** Looks at machines and their files, all at the same time. */
  async statusMany(targets: readonly MachineRef[]): Promise<Outcome<FleetStatus>[]> {
    const scan = new ProcessScan();
    const look = async (target: MachineRef): Promise<FleetStatus> => {
      const status = await machineStatus(this.host, target, scan);
      const { config, issues } = this.inspect(target);
      const lost = status.pid === undefined ? undefined : lostFiles(target);
      const isDown = status.pid === undefined;
      return {
        ...status,
        restart: isDown && (config?.restart ?? 'no') !== 'no' ? await restartState(this.host.paths, target) : undefined,
        startFailure: isDown ? sinceEnd(status, lastStartFailure(this.host.paths, target.longName)) : undefined,
        problems: [
          ...issues.map(formatIssue),
          ...(lost === undefined ? [] : [`${lost}; ${REMAINS}`]),
          ...(isDown ? [] : [...lostHelpers(target), ...frozenProblems(target)]),
          ...(isDown || !hasJournal(target.files) ? [] : await leavingOf(target)),
          ...status.fullDisks.map((disk) => `${describeFull(disk)}; ${afterRoom(target)}`),
        ],
      };
    };
    // Each look settles what it finds.
    return this.each(targets, targets.length, look, { leaveWork: true });
  }

  #tellLost(target: MachineRef): void {
    const lost = lostFiles(target);
    if (lost === undefined) return;
    this.host.notify({ level: 'warning', machine: target.longName, message: `${lost}; ${REMAINS}` });
  }

  /**
   * Does something to every machine, even if it fails for others. What a killed command left of its work on a machine is
   * set right before, so that its file is read as it is then; `leaveWork` is for what ends that itself. Results in the
   * order of `targets`.
   */
  each<T>(
    targets: readonly MachineRef[],
    parallel: number,
    work: (target: MachineRef) => Promise<T>,
    { leaveWork = false }: { readonly leaveWork?: boolean } = {},
  ): Promise<Outcome<T>[]> {
    const limit = limiter(parallel);
    const settled = async (target: MachineRef): Promise<T> => {
      if (!leaveWork) await settleFirst(this.host, target);
      return work(target);
    };
    return Promise.all(targets.map((target) => limit(() => attempt(target, settled))));
  }

  /** The machines in REQUIRES. A machine whose file has mistakes does not start, and needs none. */
  #requiredBy(target: MachineRef): MachineRef[] {
    return (this.inspect(target).config?.requires ?? []).map((id) => this.get(id));
  }

  #bootOrder(target: MachineRef): number {
    return this.inspect(target).config?.bootOrder ?? DEFAULT_BOOT_ORDER;
  }

  #bootDelayMs(target: MachineRef): number {
    return (this.inspect(target).config?.bootDelaySeconds ?? 0) * 1000;
  }
}

/** That a user has frozen the guest, which may be forgotten. */
function frozenProblems({ files, longName }: MachineRef): string[] {
  const mark = readFrozenMark(files);
  if (mark?.isWished !== true) return [];
  return [`its file systems have been frozen since ${mark.since}; thaw them: qemu-init agent ${longName} thaw`];
}

/** The last failed start, unless the machine has run since. */
function sinceEnd({ lastEnd }: MachineStatus, failure: StartFailure | undefined): StartFailure | undefined {
  return failure === undefined || (lastEnd?.at ?? '') > failure.at ? undefined : failure;
}

/** The signal in a form that any number of machines may listen to. */
function sharedSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (!signal) return undefined;
  const shared = AbortSignal.any([signal]);
  setMaxListeners(0, shared);
  return shared;
}
