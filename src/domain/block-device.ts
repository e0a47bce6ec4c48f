import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { QemuError } from '../base/errors.ts';
import { asArray, asRecord, asText, optionalText } from '../base/guards.ts';
import type { ExecuteOptions } from '../qmp/command.ts';
import { type InsertedMedium, parseInserted } from './block-image.ts';
import { BlockJob } from './block-job.ts';
import { type JobOptions, startJob } from './job-events.ts';
import { newJobId } from './job-id.ts';
import type { Monitor } from './monitor.ts';

/** What to commit. */
export interface CommitOptions extends JobOptions {
  /** Node name of the layer that is written down (default: the active one). */
  readonly topNode?: string | undefined;
  /** Node name of the layer that it is written into (default: the lowest one). */
  readonly baseNode?: string | undefined;
}

/** How to go on in a new overlay. */
export interface SnapshotOptions extends ExecuteOptions {
  /** Replaces a file that is there already; without it such a file is refused. */
  readonly overwrite?: boolean | undefined;
}

/** How to mirror. */
export interface MirrorOptions extends JobOptions {
  /** Replaces a file, or what is on a block device, that is there already; without it such a path is refused. */
  readonly overwrite?: boolean | undefined;
  /** Format of the copy (default: `raw`). */
  readonly format?: string | undefined;
}

/**
 * One drive of a domain as it was when it was asked for (`query-block`).
 *
 * @example
 * import { Fleet } from 'qemu-init';
 *
 * const fleet = Fleet.open();
 * const domain = await fleet.domain(fleet.get('web'));
 * try {
 *   const disk = await domain.blockDevice('dsk1');
 *   // All that is written from now on goes to the new file; the old one can be copied.
 *   await disk.snapshot(`${process.cwd()}/overlay.qcow2`, 'overlay');
 * } finally {
 *   await domain.close();
 * }
 */
export class BlockDevice {
  /** Name given by `-drive id=`; empty with `-blockdev`. */
  readonly device: string;
  /** The guest's device: its id, or a path in QEMU's object tree such as `/machine/peripheral/dsk1/virtio-backend`. */
  readonly qdev: string | undefined;
  /** Undefined for a drive without a medium. */
  readonly inserted: InsertedMedium | undefined;
  /** `ok`, `failed` or `nospace`. */
  readonly ioStatus: string | undefined;
  /** Whether the guest keeps the medium from being taken out. */
  readonly locked: boolean;
  readonly removable: boolean;
  /** Undefined for a drive without a tray. */
  readonly trayOpen: boolean | undefined;
  /** `unknown` in every QEMU that is in use. */
  readonly type: string;
  readonly #monitor: Monitor;

  constructor(monitor: Monitor, value: unknown) {
    const block = asRecord(value);
    const { inserted, tray_open: trayOpen } = block;
    this.#monitor = monitor;
    this.device = asText(block['device']);
    this.qdev = optionalText(block['qdev']);
    this.inserted = inserted === undefined ? undefined : parseInserted(asRecord(inserted));
    this.ioStatus = optionalText(block['io-status']);
    this.locked = block['locked'] === true;
    this.removable = block['removable'] === true;
    this.trayOpen = typeof trayOpen === 'boolean' ? trayOpen : undefined;
    this.type = asText(block['type']);
  }

  /** Whether a name means this drive: `-drive id=`, id of the device, path in the object tree, node name. */
  isCalled(name: string): boolean {
    if (name === '') return false;
    return [this.device, this.qdev, deviceId(this.qdev), this.inserted?.nodeName].includes(name);
  }

  /**
   * Lets the drive go on in a new qcow2 overlay; the image so far is not written to any more and can be copied.
   *
   * @param overlay absolute path of the new file, which QEMU makes.
   * @param nodeName node name for it.
   * @throws {QemuError} `QEMU_USAGE` for a relative path, a file that exists or an empty drive, `QEMU_QMP_REFUSED`.
   */
  async snapshot(overlay: string, nodeName: string, options: SnapshotOptions = {}): Promise<void> {
    requireNewPath('overlay', overlay, options.overwrite);
    const args = {
      'node-name': this.#medium().nodeName,
      'snapshot-file': overlay,
      'snapshot-node-name': nodeName,
      format: 'qcow2',
    };
    await this.#monitor.run('blockdev-snapshot-sync', args, options);
  }

  /**
   * Writes an overlay down into the image below it. Of the active layer, this returns when the job is ready, and
   * {@link BlockJob.complete} makes the drive go on in the image below; of an inner layer, when all is done.
   *
   * @param jobId id for the job, which no other job has; default: one made by {@link jobId}, such as
   * `qi.commit.dsk1.5f3a0c21`.
   * @returns the job; of an inner layer it is over, and not `ready`.
   * @throws {QemuError} `QEMU_USAGE` for an empty drive, `QEMU_QMP_REFUSED`, `QEMU_COMMAND_FAILED` when the job fails
   * or is cancelled; `QEMU_TIMEOUT` and `QEMU_ABORTED` leave it running.
   */
  async commit(jobId?: string, options: CommitOptions = {}): Promise<BlockJob> {
    const device = this.#medium().nodeName;
    // QEMU names the active layer by leaving it out: with `top-node` it would have to be the root node itself.
    const top = options.topNode === device ? undefined : options.topNode;
    const args = {
      device,
      ...(top !== undefined && { 'top-node': top }),
      ...(options.baseNode !== undefined && { 'base-node': options.baseNode }),
    };
    return this.#job(jobId, 'commit', 'block-commit', args, options);
  }

  /**
   * Copies the drive to a new file and keeps the copy equal to it. Returns when the copy is complete; {@link
   * BlockJob.complete} then makes the drive go on in it, {@link BlockJob.cancel} leaves it as it is at that moment.
   *
   * @param destination absolute path; QEMU makes the file.
   * @param jobId as for {@link commit}.
   * @throws {QemuError} `QEMU_USAGE` for a relative path or a file that exists, before anything is sent, or an empty
   * drive; `QEMU_QMP_REFUSED`, `QEMU_COMMAND_FAILED` when the job fails or is cancelled; `QEMU_TIMEOUT` and
   * `QEMU_ABORTED` leave it running.
   */
  async mirror(destination: string, jobId?: string, options: MirrorOptions = {}): Promise<BlockJob> {
    requireNewPath('destination', destination, options.overwrite);
    const args = {
      device: this.#medium().nodeName,
      target: destination,
      sync: 'full',
      mode: 'absolute-paths',
      format: options.format ?? 'raw',
    };
    return this.#job(jobId, 'mirror', 'drive-mirror', args, options);
  }

  async #job(
    givenId: string | undefined,
    type: string,
    command: string,
    args: Readonly<Record<string, unknown>>,
    options: JobOptions,
  ): Promise<BlockJob> {
    const jobId = givenId ?? newJobId(type, this.device || deviceId(this.qdev) || this.#medium().nodeName);
    const how = await startJob(this.#monitor, { jobId, command, args, options });
    return new BlockJob(this.#monitor, { device: jobId, type, ready: how === 'ready' });
  }

  #medium(): InsertedMedium {
    if (this.inserted) return this.inserted;
    throw new QemuError('QEMU_USAGE', `Drive "${this.device || this.qdev}" is empty`);
  }
}

/** Reads the answer to `query-block`. */
export function parseBlockDevices(monitor: Monitor, answer: unknown): BlockDevice[] {
  return asArray(answer).map((each) => new BlockDevice(monitor, each));
}

/** The id in `/machine/peripheral/ID` or `/machine/peripheral/ID/virtio-backend`. */
export function deviceId(qdev: string | undefined): string | undefined {
  return /^\/machine\/peripheral\/([^/]+)/.exec(qdev ?? '')?.[1];
}

/** QEMU empties a file that it finds under the name of a new one: its `mode` has no value that would make it refuse. */
function requireNewPath(what: string, path: string, overwrite: boolean | undefined): void {
  if (!isAbsolute(path)) {
    throw new QemuError('QEMU_USAGE', `The ${what} "${path}" is not an absolute path`, {
      hint: 'QEMU would resolve it from its own working directory',
    });
  }
  if (overwrite === true || !existsSync(path)) return;
  throw new QemuError('QEMU_USAGE', `The ${what} "${path}" already exists`, {
    hint: 'choose another path, or set overwrite: true to replace what is there',
  });
}
