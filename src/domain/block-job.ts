import { asArray, asNumber, asRecord, asText, optionalText } from '../base/guards.ts';
import { cancelJob, completeJob, type JobOptions } from './job-events.ts';
import type { Monitor } from './monitor.ts';

/**
 * One block job of a domain as it was when it was asked for (`query-block-jobs`).
 *
 * @example
 * import { Fleet } from 'qemu-init';
 *
 * const fleet = Fleet.open();
 * const domain = await fleet.domain(fleet.get('web'));
 * try {
 *   const disk = await domain.blockDevice('dsk1');
 *   const job = await disk.mirror(`${process.cwd()}/copy.qcow2`, 'copy', { format: 'qcow2' });
 *   // The copy stays as it is now, and the machine goes on with its own disk.
 *   await job.cancel();
 * } finally {
 *   await domain.close();
 * }
 */
export class BlockJob {
  /** Id of the job; the device's name when it was started without one. */
  readonly id: string;
  /** `commit`, `mirror`, `stream`, `backup` … */
  readonly type: string;
  /** Whether it may be completed. */
  readonly ready: boolean;
  readonly busy: boolean;
  readonly paused: boolean;
  /** Progress: `offset` of `length`, in bytes or in QEMU's own measure. */
  readonly offset: number;
  readonly length: number;
  /** Bytes a second; 0: as fast as possible. */
  readonly speed: number;
  /** `ok`, `failed` or `nospace`. */
  readonly ioStatus: string | undefined;
  /** State of QEMU's job life cycle, such as `running`, `ready`, `pending` or `concluded`. */
  readonly status: string | undefined;
  /** Why it failed, of a job that has failed and waits to be dismissed. */
  readonly error: string | undefined;
  readonly #monitor: Monitor;

  constructor(monitor: Monitor, value: unknown) {
    const job = asRecord(value);
    this.#monitor = monitor;
    this.id = asText(job['device']);
    this.type = asText(job['type']);
    this.ready = job['ready'] === true;
    this.busy = job['busy'] === true;
    this.paused = job['paused'] === true;
    this.offset = asNumber(job['offset']);
    this.length = asNumber(job['len']);
    this.speed = asNumber(job['speed']);
    this.ioStatus = optionalText(job['io-status']);
    this.status = optionalText(job['status']);
    this.error = optionalText(job['error']);
  }

  /**
   * Ends the job and makes the drive go on where the job leads: for a commit the image below, for a mirror the copy.
   * Returns when that is done.
   *
   * @throws {QemuError} `QEMU_COMMAND_FAILED` when the job ends with an error or is cancelled meanwhile,
   * `QEMU_QMP_REFUSED` when it is not ready, `QEMU_TIMEOUT`, `QEMU_ABORTED`, `QEMU_QMP_CLOSED`.
   */
  async complete(options: JobOptions = {}): Promise<void> {
    // `job-complete` is there since QEMU 3.0; QEMU 10.1 deprecates the older one.
    const [command, args] = (await this.#monitor.supported('job-complete', options))
      ? (['job-complete', { id: this.id }] as const)
      : (['block-job-complete', { device: this.id }] as const);
    await completeJob(this.#monitor, { jobId: this.id, command, args, options });
  }

  /**
   * Ends the job without switching, and returns when it has ended. A mirror that is ready leaves a complete copy,
   * unless `force` is given.
   *
   * @throws {QemuError} `QEMU_QMP_REFUSED` for a job that is gone, `QEMU_COMMAND_FAILED` when it ends with an error,
   * `QEMU_TIMEOUT`, `QEMU_ABORTED`, `QEMU_QMP_CLOSED`.
   */
  async cancel(options: JobOptions & { readonly force?: boolean | undefined } = {}): Promise<void> {
    // `job-cancel` always forces: only this one can leave a complete copy.
    const command = 'block-job-cancel';
    const args = { device: this.id, ...(options.force === true && { force: true }) };
    await cancelJob(this.#monitor, { jobId: this.id, command, args, options });
  }
}

/** Reads the answer to `query-block-jobs`. */
export function parseBlockJobs(monitor: Monitor, answer: unknown): BlockJob[] {
  return asArray(answer).map((each) => new BlockJob(monitor, each));
}
