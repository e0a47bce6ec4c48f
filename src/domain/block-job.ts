import { asArray, asNumber, asRecord, asText, optionalText } from './answer.ts';
import type { Domain } from './domain.ts';
import { endJob, type JobOptions } from './job-events.ts';

/** One block job of a domain as it was when it was asked for (`query-block-jobs`). */
export class BlockJob {
  /** Id of the job; the device's name when it was started without one. */
  readonly id: string;
  /** `commit`, `mirror`, `stream`, `backup`. */
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
  readonly ioStatus: string | undefined;
  readonly status: string | undefined;
  readonly #domain: Domain;

  constructor(domain: Domain, value: unknown) {
    const job = asRecord(value);
    this.#domain = domain;
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
  }

  /**
   * Ends the job and makes the drive go on where the job leads: for a commit the image below, for a mirror the copy.
   *
   * @throws {QemuError} `QEMU_COMMAND_FAILED` when the job ends with an error, `QEMU_QMP_REFUSED` when it is not ready,
   * `QEMU_TIMEOUT`.
   */
  async complete(options: JobOptions = {}): Promise<void> {
    // Since QEMU 3.0; the block-job- form is on its way out since 10.1.
    const generic = await this.#domain.supported('job-complete');
    const [command, args] = generic
      ? (['job-complete', { id: this.id }] as const)
      : (['block-job-complete', { device: this.id }] as const);
    await endJob(this.#domain, this.id, command, args, options);
  }

  /**
   * Ends the job without switching. A mirror that is ready leaves a complete copy, unless `force` is given.
   *
   * @throws {QemuError} `QEMU_QMP_REFUSED` for a job that is gone, `QEMU_TIMEOUT`.
   */
  async cancel(options: JobOptions & { readonly force?: boolean | undefined } = {}): Promise<void> {
    const args = { device: this.id, ...(options.force === true && { force: true }) };
    await endJob(this.#domain, this.id, 'block-job-cancel', args, options);
  }
}

export function parseBlockJobs(domain: Domain, answer: unknown): BlockJob[] {
  return asArray(answer).map((each) => new BlockJob(domain, each));
}
