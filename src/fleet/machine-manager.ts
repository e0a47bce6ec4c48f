import type { ConfigError } from '../base/config-error.ts';
import type { Problem } from '../base/problem.ts';
import type { LongWorkOptions } from '../base/progress.ts';
import type { Inspection } from '../config/machine-config.ts';
import type { MachineConfig } from '../config/types.ts';
import type { Domain } from '../domain/domain.ts';
import type { MachineContext, MachineRef, Notify } from '../machine/context.ts';
import type { AgentOptions } from '../machine/control/agent.ts';
import { type BackupId, Backups } from '../machine/library/backups.ts';
import { Machine } from '../machine/library/machine.ts';
import type { RestartLiveOptions, RestartLiveResult } from '../machine/live/restart-result.ts';
import type { MigrateOptions, MigrateResult } from '../machine/move/migrate-result.ts';
import type { Quiesced, QuiesceOptions } from '../machine/quiesce/quiesce.ts';
import { ProcessScan } from '../machine/run/locate.ts';
import type { StartResult } from '../machine/start/already-running.ts';
import type { StartOptions } from '../machine/start/launch-request.ts';
import type { SaveResult } from '../machine/state/save-machine.ts';
import type { StopOptions, StopResult } from '../machine/stop/stop.ts';
import { settleFirst } from '../machine/work/settle-first.ts';
import type { AgentClient } from '../qmp/agent/agent-client.ts';
import type { QmpClient } from '../qmp/client.ts';
import type { Paths } from '../system/paths.ts';
import type { CommandLine } from './command-line.ts';
import type { FleetParts } from './life/parts.ts';
import type { StartManyOptions } from './life/start-many.ts';
import type { StopManyOptions } from './life/stop-many.ts';
import { type FleetStatus, fleetStatus } from './look/fleet-status.ts';
import { Machines } from './machines.ts';
import { settleNameless } from './nameless-work.ts';
import type { Restored, RestoreOptions } from './restore/restored.ts';
import type { ServeOptions } from './restore/serve-disk.ts';
import type { Outcome } from './schedule/outcome.ts';
import { attempt, limiter } from './schedule/run-in-order.ts';
import type { Services } from './service/services.ts';

/** QEMU answers in a millisecond; one that is busy with a slow disk may take seconds. */
const MONITOR_TIMEOUT_MS = 10_000;

/**
 * All that is done with the machines there are, in one scope: it starts, stops, moves and watches them. The library's
 * {@link Fleet} also makes and removes machines. Operations on several machines return one outcome each and never fail
 * as a whole.
 */
export class MachineManager {
  /** The machines, their files and what they need to know about the host. */
  readonly machines: Machines;
  readonly #services: Services | undefined;

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

  get #parts(): FleetParts {
    return { machines: this.machines, services: this.#services };
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

  /**
   * Lets programs read a disk of a backup over NBD, without writing to it, until the signal.
   *
   * @param id `point` undefined: the newest.
   * @throws {QemuError} as `restoreBackup`; `QEMU_NOT_INSTALLED` without qemu-nbd, `QEMU_USAGE` when there are several disks.
   */
  async serveBackup(dest: string, id: BackupId, options: ServeOptions): Promise<void> {
    const { serveBackup } = await import('./restore/serve-disk.ts');
    return serveBackup(this.host.paths, this.backups(dest), id, options);
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
    const { startOne } = await import('./life/start-machine.ts');
    try {
      return await startOne(this.#parts, target, options);
    } catch (error) {
      const { whyNotStarted } = await import('./check/why-not-started.ts');
      throw await whyNotStarted(this.machines, target, error);
    }
  }

  /**
   * Stops a machine in steps of increasing force, and reports which one ended it. If it is not running, that is a
   * success.
   *
   * @throws {QemuError} `QEMU_STOP_FAILED` when it still runs, `QEMU_ABORTED`, `QEMU_LOCKED`, `QEMU_NOT_PERMITTED`.
   */
  async stop(target: MachineRef, options: StopOptions = {}): Promise<StopResult> {
    const { stopOne } = await import('./life/stop-machine.ts');
    return stopOne(this.#parts, target, options);
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
    const { saveMachine } = await import('../machine/state/save-machine.ts');
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

  /**
   * Has the guest of a running machine go on in a new QEMU, the one that is installed now, as the same machine.
   *
   * @throws {QemuError} `QEMU_NOT_RUNNING`; `QEMU_MACHINE_STATE` with all that is in the way; `QEMU_LAUNCH_FAILED`,
   * `QEMU_COMMAND_FAILED`, `QEMU_TIMEOUT`, `QEMU_LOCKED`, `QEMU_ABORTED`: the guest then goes on as before.
   */
  async restartLive(target: MachineRef, options: RestartLiveOptions = {}): Promise<RestartLiveResult> {
    const inUnit = options.check === true ? undefined : this.#services?.restartLive;
    if (inUnit) {
      const result = await inUnit(this.host, target, options);
      if (result) return result;
    }
    const { restartLive } = await import('./live/restart-live.ts');
    return restartLive(this.machines, target, options);
  }

  /** Whether a stop now is one by a shutdown of the host, at which the machine is to be saved (ONSHUTDOWN=save). */
  async isToBeSaved(target: MachineRef): Promise<boolean> {
    const { isToBeSaved } = await import('./life/stop-machine.ts');
    return isToBeSaved(this.machines, target);
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
  async ask(target: MachineRef, mostMs: number): Promise<StopResult> {
    const settings = this.machines.stopSettings(target);
    const stopDelayMs = Math.min(settings.stopDelaySeconds * 1000, mostMs);
    const { stopMachine } = await import('../machine/stop/stop.ts');
    return stopMachine(this.host, target, settings, { noKill: true, stopDelayMs });
  }

  /** What a start would run, for a running machine in its present slot; each option with its key. */
  async commandLine(target: MachineRef): Promise<CommandLine> {
    const { commandLineOf } = await import('./command-line.ts');
    return commandLineOf(this.#parts, target);
  }

  /**
   * Ends a machine's QEMU at once with SIGKILL, even while another command is at work on the machine.
   *
   * @throws {QemuError} `QEMU_STOP_FAILED`, `QEMU_ABORTED`, `QEMU_NOT_PERMITTED`.
   */
  async kill(target: MachineRef, signal?: AbortSignal): Promise<StopResult> {
    const settle = this.#services?.stopping(target);
    const { killMachine } = await import('../machine/stop/stop.ts');
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
    const { openControl } = await import('../machine/control/control-port.ts');
    const client = await openControl(target, { timeoutMs: MONITOR_TIMEOUT_MS, signal });
    // A QEMU in a unit has a private /tmp.
    const { Domain } = await import('../domain/domain.ts');
    return new Domain(client, target.longName, target.files.dir);
  }

  /**
   * A session with the agent in a running machine's guest (QGA=on); the caller closes it. An agent serves one client at
   * a time, `stop` among them: keep it short.
   *
   * @throws {QemuError} `QEMU_NO_AGENT` without an agent that answers within 3 s or the time limit; `QEMU_NOT_RUNNING`,
   * `QEMU_NOT_PERMITTED`, `QEMU_ABORTED`, `QEMU_USAGE`.
   */
  async agent(target: MachineRef, options: AgentOptions = {}): Promise<AgentClient> {
    const { openAgentOf } = await import('../machine/control/agent.ts');
    return openAgentOf(this.host, target, options);
  }

  /**
   * Does something while the file systems of a guest are frozen through its agent, such as a snapshot of the storage that
   * its disks are on. They are thawed in every case, and after SIGKILL of this process by the next command.
   *
   * @throws {QemuError} as {@link agent} and `QEMU_COMMAND_FAILED` with `quiesce: 'on'`; and what `body` throws.
   */
  async whileQuiet<T>(target: MachineRef, body: () => Promise<T>, options: QuiesceOptions): Promise<Quiesced<T>> {
    const { whileQuiet } = await import('../machine/quiesce/quiesce.ts');
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
      migrate: (destination, options) => this.migrate(target, destination, options),
      restartLive: (options) => this.restartLive(target, options),
    });
  }

  /**
   * Does something on a short connection to the machine's own socket, or to its control port if the socket is missing
   * or in use.
   *
   * @throws {QemuError} `QEMU_NOT_RUNNING`, and what `work` throws.
   */
  async withMonitor<T>(target: MachineRef, work: (client: QmpClient) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { withOwnMonitor } = await import('../machine/control/control-port.ts');
    return withOwnMonitor(this.host, target, { timeoutMs: MONITOR_TIMEOUT_MS, signal }, work);
  }

  /**
   * Starts machines, after those that they require, in the order of BOOTORDER. A required machine that was running
   * already is in the outcomes only if it was asked for.
   */
  async startMany(targets: readonly MachineRef[], options: StartManyOptions = {}): Promise<Outcome<StartResult>[]> {
    const { startInOrder } = await import('./life/start-many.ts');
    const outcomes = await startInOrder(this.#parts, targets, options);
    if (outcomes.every(({ ok }) => ok)) return outcomes;
    const { explainFailures } = await import('./check/why-not-started.ts');
    return explainFailures(this.machines, outcomes);
  }

  /**
   * Stops machines, those with a higher BOOTORDER first and all of one order at the same time, but a required machine
   * after those that require it.
   */
  async stopMany(targets: readonly MachineRef[], options: StopManyOptions = {}): Promise<Outcome<StopResult>[]> {
    const { stopInOrder } = await import('./life/stop-many.ts');
    return stopInOrder(this.#parts, targets, options);
  }

  /** Looks at machines and their files, all at the same time. */
  async statusMany(targets: readonly MachineRef[]): Promise<Outcome<FleetStatus>[]> {
    await settleNameless(this.host, this.machines.registeredNames());
    const scan = new ProcessScan();
    // Each look settles what it finds.
    const look = (target: MachineRef): Promise<FleetStatus> => fleetStatus(this.machines, target, scan);
    return this.each(targets, targets.length, look, { leaveWork: true });
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
}
