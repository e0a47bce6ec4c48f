import type { EndOptions } from '../../base/abort.ts';
import type { Problem } from '../../base/problem.ts';
import type { CheckMachineOptions } from '../../fleet/check/check-machine.ts';
import { MachineManager } from '../../fleet/machine-manager.ts';
import { type FleetOptions, fleetArguments } from '../../fleet/open-options.ts';
import type { Registration } from '../../fleet/register.ts';
import type { Outcome } from '../../fleet/schedule/outcome.ts';
import type { MachineRef } from '../../machine/context.ts';
import type { CloneOptions, CloneResult } from '../clone/clone.ts';
import type { CreateOptions } from '../create.ts';
import type { Creation } from '../create-from.ts';
import type { DeleteOptions } from '../delete/delete.ts';
import type { DeletedFile } from '../delete/delete-plan.ts';
import type { ExportedMachine } from '../export/export-machine.ts';
import type { ExportFormat } from '../export/format.ts';
import type { ImportMachineOptions, ImportResult, ImportSource } from '../import/import-file.ts';
import type { RenameResult } from '../rename.ts';
import { Images } from './images.ts';

/**
 * All machines of one scope, and how they come and go. Operations on several machines return one outcome each and never
 * fail as a whole.
 *
 * @example
 * import { Fleet } from 'qemu-init';
 *
 * const fleet = Fleet.open();
 * const { target, issues } = await fleet.create('test', { disks: ['8G'], short: { ram: '1G', net: 'user' } });
 * console.log(target.configPath, issues);
 * for (const outcome of await fleet.statusMany(fleet.list())) {
 *   console.log(outcome.target.longName, outcome.ok ? outcome.value.state : outcome.error.message);
 * }
 */
export class Fleet extends MachineManager {
  /** The images that new machines are made of. */
  readonly images: Images = new Images(this);

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
   * Creates a machine: its file from the template, its disks and the data for cloud-init; and registers it. With `from`
   * it is a clone of that machine with other settings. Nothing is overwritten, and when anything fails nothing is left;
   * what the host does not have yet, such as the image of a CD, does not prevent it, and is returned.
   *
   * @throws {ConfigError} for keys or values that are wrong.
   * @throws {QemuError} `QEMU_USAGE` for an invalid name or options that do not go together, `QEMU_IO` when a file of
   * that name exists or the image cannot be used, `QEMU_CONFIG_INVALID` when the name is taken, `QEMU_NOT_INSTALLED`
   * without QEMU, `QEMU_COMMAND_FAILED` when a disk cannot be created, `QEMU_NOT_PERMITTED`, `QEMU_ABORTED`; with `from`
   * also as {@link Fleet.clone}.
   */
  async create(name: string, options: CreateOptions = {}): Promise<Creation> {
    const { create } = await import('../create-from.ts');
    return this.#changing(() => create(this, name, options));
  }

  /**
   * Makes a machine like another one: with copies of its disks and firmware variables, its own UUID, addresses, ports
   * and instance of cloud-init. The source may run: then the copies are of one instant. When anything fails nothing is
   * left.
   *
   * @throws {ConfigError} when the source's file has mistakes.
   * @throws {QemuError} `QEMU_USAGE`, `QEMU_IO` when a file of that name exists, `QEMU_CONFIG_INVALID` when the name is
   * taken, `QEMU_STOP_FAILED` for what is not possible while the source runs, `QEMU_LOCKED`, `QEMU_COMMAND_FAILED`,
   * `QEMU_NOT_PERMITTED`, `QEMU_ABORTED`.
   */
  async clone(source: MachineRef, name: string, options: CloneOptions = {}): Promise<CloneResult> {
    const { cloneMachine } = await import('../clone/clone.ts');
    return this.#changing(() => cloneMachine(this, source, name, options));
  }

  /**
   * Gives a machine that does not run another long name; its state, logs, addresses and user follow.
   *
   * @throws {ConfigError} when its file has mistakes, or the name is taken.
   * @throws {QemuError} `QEMU_USAGE`, `QEMU_STOP_FAILED` while it runs or has a saved state, `QEMU_LOCKED`, `QEMU_IO`,
   * `QEMU_NOT_PERMITTED`, `QEMU_ABORTED`.
   */
  async rename(target: MachineRef, name: string, { signal }: EndOptions = {}): Promise<RenameResult> {
    const { renameMachine } = await import('../rename.ts');
    return this.#changing(() => renameMachine(this, target, name, signal));
  }

  /** What {@link Fleet.delete} would delete, and what it would keep and why. @throws {QemuError} `QEMU_NOT_PERMITTED` */
  async planDeletion(target: MachineRef, options: DeleteOptions = {}): Promise<readonly DeletedFile[]> {
    const { planDeletion } = await import('../delete/delete-plan.ts');
    return planDeletion(this, target, options);
  }

  /**
   * Deletes a machine that does not run, with its disks. Files that another machine uses stay, and base images.
   *
   * @returns what has gone, and what has stayed.
   * @throws {QemuError} `QEMU_STOP_FAILED` while it runs, `QEMU_LOCKED`, `QEMU_IO`, `QEMU_NOT_PERMITTED`,
   * `QEMU_ABORTED`.
   */
  async delete(target: MachineRef, options: DeleteOptions = {}): Promise<readonly DeletedFile[]> {
    const { deleteMachine } = await import('../delete/delete.ts');
    return this.#changing(() => deleteMachine(this, target, options));
  }

  /**
   * Makes the file of a machine from the definition that another program has of it, which is only read. The machine is
   * not registered.
   *
   * @throws {ConfigError} when the result would be no valid file.
   * @throws {QemuError} `QEMU_MACHINE_UNKNOWN` when there is no such file or process, `QEMU_CONFIG_INVALID` when it
   * cannot be read as a machine, `QEMU_USAGE`, `QEMU_IO` when a file exists or a disk cannot be copied,
   * `QEMU_COMMAND_FAILED`, `QEMU_NOT_PERMITTED`, `QEMU_ABORTED`.
   */
  async import(source: ImportSource, options: ImportMachineOptions = {}): Promise<ImportResult> {
    const { importMachine } = await import('../import/import-file.ts');
    return importMachine(this.host.paths, source, options);
  }

  /**
   * A machine as another program defines it: a libvirt domain, or a script with its command line.
   *
   * @throws {ConfigError} when its file has mistakes.
   * @throws {QemuError} as {@link Fleet.commandLine}.
   */
  async export(target: MachineRef, format: ExportFormat): Promise<ExportedMachine> {
    const { exportMachine } = await import('../export/export-machine.ts');
    return exportMachine(this, target, format);
  }

  /**
   * Adds a machine to the registry and leases its addresses. Mistakes in its file do not prevent that and are returned.
   *
   * @param name short name; with no `wanted`, a long name or path that is registered under its own long name.
   * @param wanted long name, path of a cfg or JSON file, or `/folder/long`; relative to the working folder.
   * @throws {QemuError} `QEMU_MACHINE_UNKNOWN` when the file does not exist, `QEMU_CONFIG_INVALID` when a name is taken,
   * `QEMU_NOT_PERMITTED` when others may change the file.
   */
  async register(name: string, wanted?: string): Promise<Registration> {
    const { registerMachine } = await import('../../fleet/register.ts');
    return this.#changing(() => registerMachine(this, name, wanted, process.cwd()));
  }

  /**
   * Removes a machine from the registry and frees its addresses. Its files stay.
   *
   * @returns undefined when there is nothing to remove.
   * @throws {QemuError} `QEMU_STOP_FAILED` for one that is running.
   */
  async unregister(id: string): Promise<MachineRef | undefined> {
    const { unregisterMachine } = await import('../../fleet/register.ts');
    return this.#changing(() => unregisterMachine(this, id));
  }

  /**
   * Sets AUTOSTART in a machine's file.
   *
   * @returns whether that changed anything.
   * @throws {ConfigError} when the file has mistakes.
   * @throws {QemuError} `QEMU_USAGE` for a machine that is not registered, or that a cluster runs, or in JSON.
   */
  async setAutostart(target: MachineRef, autostart: boolean, { signal }: EndOptions = {}): Promise<boolean> {
    const { setAutostart } = await import('../../fleet/autostart.ts');
    return setAutostart(this, target, autostart, signal);
  }

  /** All problems of a machine: in its file, on this host and with other machines. Does not fail because of them. */
  async check(target: MachineRef, options: CheckMachineOptions = {}): Promise<readonly Problem[]> {
    const { checkMachine } = await import('../../fleet/check/check-machine.ts');
    return checkMachine(this.machines, target, undefined, options);
  }

  /** The same of several machines, one after the other. */
  async checkMany(
    targets: readonly MachineRef[],
    options: CheckMachineOptions = {},
  ): Promise<Outcome<readonly Problem[]>[]> {
    const { checkMachine, readableConfigs } = await import('../../fleet/check/check-machine.ts');
    const others = readableConfigs(this.machines);
    return this.each(targets, 1, (target) => checkMachine(this.machines, target, others, options));
  }

  /**
   * Compares machines with how the other nodes of the cluster know them, over ssh: file, registry, addresses, user, and
   * what is missing there. A node that cannot be asked is a warning.
   *
   * @param places `ssh://[USER@]HOST[:PORT][/ROOT]`; default: the nodes that Pacemaker has besides this one.
   * @returns problems by long name.
   * @throws {QemuError} `QEMU_USAGE` for another kind of place; `QEMU_ABORTED`.
   */
  async compareNodes(
    targets: readonly MachineRef[],
    {
      places,
      signal,
    }: { readonly places?: readonly string[] | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ReadonlyMap<string, readonly Problem[]>> {
    const { compareWithNodes, otherNodes } = await import('../../fleet/cluster/other-nodes.ts');
    return compareWithNodes(this.machines, targets, places ?? otherNodes(this.machines), signal);
  }

  /** What it changes in the registry is seen by {@link Fleet.list} and {@link Fleet.get} at once. */
  async #changing<T>(change: () => Promise<T>): Promise<T> {
    try {
      return await change();
    } finally {
      this.machines.readRegistry();
    }
  }
}
