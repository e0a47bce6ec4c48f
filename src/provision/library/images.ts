import type { LongWorkOptions } from '../../base/progress.ts';
import type { MachineManager } from '../../fleet/machine-manager.ts';
import type { ImageStore, PullOptions, PullResult, StoredImage } from '../images/image-store.ts';

/**
 * The images that are kept for new machines: `Fleet.images`. Each is fetched once, and nothing ever writes to it.
 *
 * @example
 * import { Fleet } from 'qemu-init';
 *
 * for (const { name, sizeBytes, usedBy } of await Fleet.open().images.list()) console.log(name, sizeBytes, usedBy);
 */
export class Images {
  readonly #fleet: MachineManager;

  constructor(fleet: MachineManager) {
    this.#fleet = fleet;
  }

  /** All images, by name. @throws {QemuError} `QEMU_NOT_PERMITTED` when others may change the store. */
  async list(): Promise<StoredImage[]> {
    return (await this.#store()).list();
  }

  /** The image of that name or address, of several of one address the newest; undefined when there is none. */
  async find(nameOrUrl: string): Promise<StoredImage | undefined> {
    return (await this.#store()).find(nameOrUrl);
  }

  /**
   * Fetches an image, unless the store has what is there.
   *
   * @param address may end in `#sha256=HEX`.
   * @throws {QemuError} `QEMU_USAGE`, `QEMU_IO`, `QEMU_TIMEOUT`, `QEMU_NOT_PERMITTED`, `QEMU_LOCKED`, `QEMU_ABORTED`.
   */
  async pull(address: string, options: PullOptions = {}): Promise<PullResult> {
    return (await this.#store()).pull(address, options);
  }

  /**
   * Reads an image again and compares it with what was fetched.
   *
   * @throws {QemuError} `QEMU_USAGE` when there is none of that name, `QEMU_IO` when it is not the same any more,
   * `QEMU_ABORTED`.
   */
  async verify(name: string, options: LongWorkOptions = {}): Promise<StoredImage> {
    return (await this.#store()).verify(name, options);
  }

  /**
   * Removes an image.
   *
   * @throws {QemuError} `QEMU_USAGE` when there is none of that name, `QEMU_LOCKED` when a machine uses it.
   */
  async remove(name: string): Promise<StoredImage> {
    return (await this.#store()).remove(name);
  }

  /** Most commands have nothing to do with images. */
  async #store(): Promise<ImageStore> {
    const { ImageStore: Store } = await import('../images/image-store.ts');
    return new Store(this.#fleet);
  }
}
