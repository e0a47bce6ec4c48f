import type { MachineConfig } from '../../config/types.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import type { DiskList } from '../disks/list-disks.ts';

/** Ends a wait. */
interface Waiting {
  readonly signal?: AbortSignal | undefined;
}

/**
 * The disks of a machine: {@link Machine.disks}.
 *
 * @example
 * import { Fleet } from 'qemu-init';
 *
 * const fleet = Fleet.open();
 * const machine = fleet.machine(fleet.get('web'));
 * const { disks } = await machine.disks.list();
 * for (const { key, layers } of disks) console.log(key, layers[0].file, layers[0].virtualSizeBytes);
 */
export class MachineDisks {
  readonly #host: MachineContext;
  readonly #target: MachineRef;
  readonly #config: () => MachineConfig;

  constructor(host: MachineContext, target: MachineRef, config: () => MachineConfig) {
    this.#host = host;
    this.#target = target;
    this.#config = config;
  }

  /**
   * The disks of a machine that runs as QEMU has them, else as its images on this host are.
   *
   * @throws {ConfigError} when an image is missing, or leads to where it must not.
   * @throws {QemuError} `QEMU_TIMEOUT`, `QEMU_COMMAND_FAILED` when an image cannot be read, `QEMU_ABORTED`.
   */
  async list({ signal }: Waiting = {}): Promise<DiskList> {
    const { listDisks } = await import('../disks/list-disks.ts');
    return listDisks(this.#host, this.#target, this.#config(), signal);
  }
}
