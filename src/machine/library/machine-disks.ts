import type { LongWorkOptions } from '../../base/progress.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import type { CheckOptions } from '../disks/check-images.ts';
import type { CheckedImage } from '../disks/check-layer.ts';
import type { DiskList } from '../disks/list-disks.ts';
import type { MirrorOptions } from '../disks/mirror.ts';
import type { MoveResult } from '../disks/move-result.ts';
import type { ResizeOptions, ResizeResult } from '../disks/resize.ts';
import type { ResumeResult } from '../work/resume-work.ts';

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
 * for (const { key, file, virtualSizeBytes } of disks) console.log(key, file, virtualSizeBytes);
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
   * The disks of a machine that runs as QEMU has them, else as its images on this host are: what `disk list --json` prints.
   *
   * @throws {ConfigError} when an image is missing, or leads to where it must not.
   * @throws {QemuError} `QEMU_TIMEOUT`, `QEMU_COMMAND_FAILED` when an image cannot be read, `QEMU_ABORTED`.
   */
  async list({ signal }: Waiting = {}): Promise<DiskList> {
    const { listDisks } = await import('../disks/list-disks.ts');
    return listDisks(this.#host, this.#target, this.#config(), signal);
  }

  /**
   * Copies a disk into a new file and lets it go on there, while the machine runs or not; the old image stays. The
   * signal cancels it, and nothing is left then.
   *
   * @param key `DSK1`.
   * @param file path of the new image, which must not exist.
   * @throws {JobError} `QEMU_COMMAND_FAILED` when the copy fails, as without room.
   * @throws {QemuError} `QEMU_USAGE`, `QEMU_DEVICE_UNKNOWN`, `QEMU_LOCKED` while other work on its disks goes on,
   * `QEMU_NOT_PERMITTED`, `QEMU_ABORTED`.
   */
  async mirror(key: string, file: string, options: MirrorOptions = {}): Promise<MoveResult> {
    const { mirrorDisk } = await import('../disks/mirror.ts');
    return mirrorDisk(this.#host, this.#target, this.#config(), { key, file }, options);
  }

  /**
   * Collapses the chain of a disk: what its overlays hold is written into the image at the bottom, where the disk goes
   * on, and the overlays are removed. Of machines that run, and of others.
   *
   * @param key `DSK1`.
   * @throws {ConfigError} when something else rests on one of the images.
   * @throws {JobError} `QEMU_COMMAND_FAILED` when it fails: the disk is in its overlay then.
   * @throws {QemuError} as {@link mirror}.
   */
  async commit(key: string, options: LongWorkOptions = {}): Promise<MoveResult> {
    const { commitDisk } = await import('../disks/commit.ts');
    return commitDisk(this.#host, this.#target, this.#config(), key, options);
  }

  /**
   * {@link mirror} into another format, to a file beside the old image unless another is given.
   *
   * @throws as {@link mirror}.
   */
  async convert(
    key: string,
    format: 'qcow2' | 'raw',
    { file, ...options }: Omit<MirrorOptions, 'format'> & { readonly file?: string | undefined } = {},
  ): Promise<MoveResult> {
    const { convertDisk } = await import('../disks/convert.ts');
    return convertDisk(this.#host, this.#target, this.#config(), { key, format, file }, options);
  }

  /**
   * Changes the size of a disk; the guest of a machine that runs sees it at once.
   *
   * @param key `DSK1`.
   * @param size bytes; with `relative`, how much it grows.
   * @throws {QemuError} `QEMU_USAGE` for a smaller size, unless the machine is stopped and `shrink` is set;
   * `QEMU_DEVICE_UNKNOWN`, `QEMU_LOCKED` while a backup or other work on its disks goes on, `QEMU_COMMAND_FAILED`.
   */
  async resize(key: string, size: number, options: ResizeOptions = {}): Promise<ResizeResult> {
    const { resizeDisk } = await import('../disks/resize.ts');
    return resizeDisk(this.#host, this.#target, this.#config(), { key, size }, options);
  }

  /**
   * Checks the images of a machine that does not run.
   *
   * @throws {MachineStateError} `QEMU_MACHINE_STATE` when it runs.
   * @throws {QemuError} `QEMU_DEVICE_UNKNOWN`, `QEMU_LOCKED`, `QEMU_COMMAND_FAILED`, `QEMU_ABORTED`.
   */
  async check(options: CheckOptions = {}): Promise<CheckedImage[]> {
    const { checkImages } = await import('../disks/check-images.ts');
    return checkImages(this.#host, this.#target, this.#config(), options);
  }

  /**
   * Goes on with work on the disks whose command was killed while its jobs went on inside QEMU, and finishes it.
   *
   * @throws {QemuError} `QEMU_LOCKED` when that command lives, `QEMU_DEVICE_UNKNOWN` for a job that belongs to no such
   * work, `QEMU_USAGE` for work that nobody can go on with; and what the work throws.
   */
  async resume(options: LongWorkOptions & { readonly job?: string | undefined } = {}): Promise<ResumeResult> {
    const { resumeInterrupted } = await import('../work/resume-work.ts');
    return resumeInterrupted(this.#host, this.#target, this.#config(), options);
  }
}
