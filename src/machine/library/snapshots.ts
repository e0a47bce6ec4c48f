import type { LongWorkOptions } from '../../base/progress.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import type { CreatedSnapshot, CreateSnapshotOptions } from '../snapshot/create-options.ts';
import type { DeletedSnapshot } from '../snapshot/delete.ts';
import type { Snapshot } from '../snapshot/list.ts';
import type { Life, RevertedSnapshot } from '../snapshot/revert.ts';
import { settleFirst } from '../work/settle-first.ts';

/**
 * The snapshots of a machine that runs or does not: `Machine.snapshots`.
 *
 * @example
 * import { Fleet } from 'qemu-init';
 *
 * const fleet = Fleet.open();
 * const { snapshots } = fleet.machine(fleet.get('web'));
 * const { snapshot } = await snapshots.create({ description: 'before the upgrade' });
 * for (const each of await snapshots.list()) console.log(each.name, each.created, each.disks);
 * await snapshots.revert(snapshot);
 * await snapshots.delete(snapshot);
 */
export class Snapshots {
  readonly #host: MachineContext;
  readonly #target: MachineRef;
  readonly #config: () => MachineConfig;
  readonly #life: Life;

  constructor(host: MachineContext, target: MachineRef, config: () => MachineConfig, life: Life) {
    this.#host = host;
    this.#target = target;
    this.#config = config;
    this.#life = life;
  }

  /** Makes one, of all disks at one instant. @throws {QemuError} as `createSnapshot` of machine/snapshot. */
  async create(options: CreateSnapshotOptions = {}): Promise<CreatedSnapshot> {
    const { createSnapshot } = await import('../snapshot/create.ts');
    return createSnapshot(this.#host, this.#target, this.#config(), options);
  }

  /** All of them, oldest first. @throws {ConfigError} when an image cannot be used. */
  async list(): Promise<Snapshot[]> {
    await settleFirst(this.#host, this.#target);
    const { listSnapshots } = await import('../snapshot/list.ts');
    return listSnapshots(this.#host, this.#target, this.#config());
  }

  /** Makes the machine what it was then; what it is now is lost. @throws {QemuError} as `revertSnapshot`. */
  async revert(name: string, options: LongWorkOptions = {}): Promise<RevertedSnapshot> {
    const { revertSnapshot } = await import('../snapshot/revert.ts');
    return revertSnapshot(this.#host, this.#target, this.#config(), name, this.#life, options);
  }

  /** Deletes one; the machine stays as it is. @throws {QemuError} as `deleteSnapshot`. */
  async delete(name: string, options: LongWorkOptions = {}): Promise<DeletedSnapshot> {
    const { deleteSnapshot } = await import('../snapshot/delete.ts');
    return deleteSnapshot(this.#host, this.#target, this.#config(), name, options);
  }
}
