import { isAbsolute } from 'node:path';
import { QemuError } from '../errors.ts';
import { asArray, asNumber, asRecord, asText, optionalText } from './answer.ts';
import { BlockJob } from './block-job.ts';
import type { Domain } from './domain.ts';
import { type JobOptions, startJob } from './job-events.ts';

/** What is in a drive. */
export interface InsertedMedium {
  readonly file: string;
  readonly nodeName: string;
  /** Format driver such as `qcow2`. */
  readonly driver: string;
  readonly readOnly: boolean;
  readonly backingFile: string | undefined;
  readonly backingFileDepth: number;
  /** Bytes that the guest sees. */
  readonly virtualSize: number;
  /** `query-block`'s own object, with all that a newer QEMU says. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** One drive of a domain as it was when it was asked for (`query-block`). */
export class BlockDevice {
  /** Name given by `-drive id=`; empty with `-blockdev`. */
  readonly device: string;
  /** Path of the guest's device in the object tree, such as `/machine/peripheral/dsk1-dev/virtio-backend`. */
  readonly qdev: string | undefined;
  readonly inserted: InsertedMedium | undefined;
  readonly ioStatus: string | undefined;
  readonly locked: boolean;
  readonly removable: boolean;
  readonly #domain: Domain;

  constructor(domain: Domain, value: unknown) {
    const block = asRecord(value);
    this.#domain = domain;
    this.device = asText(block['device']);
    this.qdev = optionalText(block['qdev']);
    this.inserted = block['inserted'] === undefined ? undefined : parseInserted(asRecord(block['inserted']));
    this.ioStatus = optionalText(block['io-status']);
    this.locked = block['locked'] === true;
    this.removable = block['removable'] === true;
  }

  /** Whether a name means this drive: `-drive id=`, id of the device, path in the object tree, node name. */
  isCalled(name: string): boolean {
    const parts = this.qdev?.split('/') ?? [];
    return (
      name !== '' &&
      (name === this.device || name === this.qdev || name === this.inserted?.nodeName || parts.includes(name))
    );
  }

  /**
   * Lets the drive go on in a new qcow2 overlay; the image so far is not written to any more and can be copied.
   *
   * @param overlay absolute path of the new file, which QEMU makes.
   * @param nodeName node name for it.
   * @throws {QemuError} `QEMU_USAGE` for a relative path, `QEMU_QMP_REFUSED`.
   */
  async snapshot(overlay: string, nodeName: string): Promise<void> {
    requireAbsolute('overlay', overlay);
    await this.#domain.run('blockdev-snapshot-sync', {
      'node-name': this.#medium().nodeName,
      'snapshot-file': overlay,
      'snapshot-node-name': nodeName,
      format: 'qcow2',
    });
  }

  /**
   * Writes an overlay back into the image below it. Of the active layer, this returns when the job is ready, and
   * {@link BlockJob.complete} makes the drive go on in the image below; of an inner layer, when it is done.
   *
   * @param topNode node name of the layer; the active one if not given.
   * @returns the job; of an inner layer it has ended.
   * @throws {QemuError} `QEMU_COMMAND_FAILED` when the job fails, `QEMU_TIMEOUT`.
   */
  async commit(jobId: string, options: JobOptions & { readonly topNode?: string | undefined } = {}): Promise<BlockJob> {
    const device = this.#medium().nodeName;
    const top = options.topNode === undefined || options.topNode === device ? undefined : options.topNode;
    await startJob(this.#domain, jobId, 'block-commit', { device, ...(top && { 'top-node': top }) }, options);
    return new BlockJob(this.#domain, { device: jobId, type: 'commit', ready: top === undefined });
  }

  /**
   * Copies the drive to a new file and keeps the copy equal to it. Returns when the copy is complete;
   * {@link BlockJob.complete} then makes the drive go on in it, {@link BlockJob.cancel} leaves it as it is.
   *
   * @param destination absolute path; QEMU makes the file.
   * @throws {QemuError} `QEMU_USAGE` for a relative path, before anything is sent; `QEMU_COMMAND_FAILED`, `QEMU_TIMEOUT`.
   */
  async mirror(
    destination: string,
    jobId: string,
    options: JobOptions & { readonly format?: string | undefined } = {},
  ): Promise<BlockJob> {
    requireAbsolute('destination', destination);
    const args = {
      device: this.#medium().nodeName,
      target: destination,
      sync: 'full',
      mode: 'absolute-paths',
      format: options.format ?? 'raw',
    };
    await startJob(this.#domain, jobId, 'drive-mirror', args, options);
    return new BlockJob(this.#domain, { device: jobId, type: 'mirror', ready: true });
  }

  #medium(): InsertedMedium {
    if (this.inserted) return this.inserted;
    throw new QemuError('QEMU_USAGE', `Drive "${this.device || this.qdev}" is empty`);
  }
}

/** Counters of one drive (`query-blockstats`). */
export interface BlockStats {
  readonly device: string;
  readonly qdev: string | undefined;
  readonly nodeName: string | undefined;
  readonly readBytes: number;
  readonly writeBytes: number;
  readonly readOperations: number;
  readonly writeOperations: number;
  readonly flushOperations: number;
  /** All counters under QEMU's own names, those of newer versions as well. */
  readonly raw: Readonly<Record<string, unknown>>;
}

export function parseBlockDevices(domain: Domain, answer: unknown): BlockDevice[] {
  return asArray(answer).map((each) => new BlockDevice(domain, each));
}

export function parseBlockStats(answer: unknown): BlockStats[] {
  return asArray(answer).map((each) => {
    const entry = asRecord(each);
    const stats = asRecord(entry['stats']);
    return {
      device: asText(entry['device']),
      qdev: optionalText(entry['qdev']),
      nodeName: optionalText(entry['node-name']),
      readBytes: asNumber(stats['rd_bytes']),
      writeBytes: asNumber(stats['wr_bytes']),
      readOperations: asNumber(stats['rd_operations']),
      writeOperations: asNumber(stats['wr_operations']),
      flushOperations: asNumber(stats['flush_operations']),
      raw: stats,
    };
  });
}

function parseInserted(inserted: Readonly<Record<string, unknown>>): InsertedMedium {
  return {
    file: asText(inserted['file']),
    nodeName: asText(inserted['node-name']),
    driver: asText(inserted['drv']),
    readOnly: inserted['ro'] === true,
    backingFile: optionalText(inserted['backing_file']),
    backingFileDepth: asNumber(inserted['backing_file_depth']),
    virtualSize: asNumber(asRecord(inserted['image'])['virtual-size']),
    raw: inserted,
  };
}

function requireAbsolute(what: string, path: string): void {
  if (isAbsolute(path)) return;
  throw new QemuError('QEMU_USAGE', `The ${what} "${path}" is no absolute path`, {
    hint: 'QEMU would take it for a file in the folder that it runs in',
  });
}
