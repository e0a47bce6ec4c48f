import { resolve } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { BackupOptions, BackupResult } from '../backup/create-backup.ts';
import type { BackupPoint, Destination } from '../backup/destination.ts';
import type { RemovedPoint } from '../backup/merge.ts';
import type { VerifiedPoint } from '../backup/verify.ts';
import type { MachineContext, MachineRef } from '../context.ts';

// What does the work is loaded when it is called: every command loads this file.

/** A machine in a destination, and maybe one of its points. */
export interface BackupId {
  /** Long name, or the short one that it has here, or had when it was backed up. */
  readonly name: string;
  /** Undefined: the newest, or all. */
  readonly point?: string | undefined;
}

/**
 * The backups in a folder, whether their machines are known here or not.
 *
 * @example
 * import { Fleet } from 'qemu-init';
 *
 * const { points } = await Fleet.open().backups('/srv/backup').list();
 * for (const { name, point, manifest } of points) console.log(`${name}@${point}`, manifest?.kind ?? 'damaged');
 */
export class Backups {
  readonly dest: string;
  readonly #known: (id: string) => string | undefined;

  /** @param known long name of a machine that is registered here, by its short one. */
  constructor(dest: string, known: (id: string) => string | undefined = () => undefined) {
    this.dest = resolve(dest);
    this.#known = known;
  }

  /**
   * All points of all machines, the oldest of each first. Nothing in the folder makes it fail.
   *
   * @throws {QemuError} `QEMU_IO` when the folder is not there, `QEMU_NOT_PERMITTED`.
   */
  async list(): Promise<Destination> {
    const { readDestination } = await import('../backup/destination.ts');
    return readDestination(this.dest);
  }

  /**
   * Long name of the machine that is meant.
   *
   * @throws {QemuError} `QEMU_MACHINE_UNKNOWN` when there is none, or several had that short name.
   */
  async longNameOf(id: string): Promise<string> {
    const { points } = await this.list();
    const own = [id, this.#known(id)].find((each) => points.some(({ name }) => name === each));
    if (own !== undefined) return own;
    const names = new Set(points.flatMap(({ name, manifest }) => (manifest?.shortName === id ? [name] : [])));
    const [name] = names;
    if (name !== undefined && names.size === 1) return name;
    const why = names.size > 1 ? `several machines "${id}": ${[...names].join(', ')}` : `no backup of machine "${id}"`;
    throw new QemuError('QEMU_MACHINE_UNKNOWN', `"${this.dest}" has ${why}`, {
      hint: `see: ${shellCommand('qemu-init', 'backup', 'list', this.dest)}`,
    });
  }

  /**
   * Reads points and those that they rest on wholly, and compares them with their manifests.
   *
   * @param id undefined: all machines.
   * @throws {QemuError} `QEMU_MACHINE_UNKNOWN`, `QEMU_NOT_INSTALLED` without qemu-img, `QEMU_ABORTED`.
   */
  async verify(id?: BackupId, options: LongWorkOptions = {}): Promise<readonly VerifiedPoint[]> {
    const { verifyPoints } = await import('../backup/verify.ts');
    const { pointsOf } = await import('../backup/destination.ts');
    const { settleQuietly } = await import('../backup/settle-quietly.ts');
    const all =
      id === undefined ? (await this.list()).points.map(({ name }) => name) : [await this.longNameOf(id.name)];
    const names = new Set(all);
    const found: VerifiedPoint[] = [];
    for (const name of names) {
      await settleQuietly(this.dest, name, options);
      const points = pointsOf(this.dest, name);
      const wanted = id?.point === undefined ? points : [pointNamed(points, id.point)];
      found.push(...(await verifyPoints(points, wanted, options)));
    }
    return found;
  }

  /**
   * Deletes a point. One that another rests on is merged into that first; all others stay complete at every moment.
   *
   * @throws {QemuError} `QEMU_MACHINE_UNKNOWN`, `QEMU_LOCKED`, `QEMU_NOT_PERMITTED` when other users may write to the
   * folder, `QEMU_IO` when it is damaged, `QEMU_COMMAND_FAILED` when qemu-img fails, `QEMU_ABORTED`: call it again then.
   */
  async delete(
    { name, point }: BackupId & { readonly point: string },
    options: LongWorkOptions = {},
  ): Promise<RemovedPoint & { readonly name: string }> {
    const { removePoint, withBackups } = await import('../backup/merge.ts');
    const longName = await this.longNameOf(name);
    const { signal } = options;
    const removed = await withBackups(this.dest, longName, { purpose: 'delete', signal }, () =>
      removePoint(this.dest, longName, point, options),
    );
    return { name: longName, ...removed };
  }
}

function pointNamed(points: readonly BackupPoint[], name: string): BackupPoint {
  const found = points.find(({ point }) => point === name);
  if (found) return found;
  throw new QemuError('QEMU_MACHINE_UNKNOWN', `Machine "${points[0]?.name}" has no backup "${name}"`, {
    hint: `it has: ${points.map(({ point }) => point).join(', ')}`,
  });
}

/**
 * The backups of one machine, in whichever folder.
 *
 * @example
 * import { Fleet } from 'qemu-init';
 *
 * const fleet = Fleet.open();
 * const { backups } = fleet.machine(fleet.get('web'));
 * const { path, manifest } = await backups.create('/srv/backup', { keep: 30 });
 * console.log(path, manifest.kind, manifest.reason ?? '');
 */
export class MachineBackups {
  readonly #name: string;
  readonly #host: MachineContext;
  readonly #target: MachineRef;
  readonly #config: () => MachineConfig;

  constructor(host: MachineContext, target: MachineRef, config: () => MachineConfig) {
    this.#name = target.longName;
    this.#host = host;
    this.#target = target;
    this.#config = config;
  }

  /**
   * Copies the disks of the machine as of one instant, and what else it consists of, to a new point: what has changed since the
   * last point in that folder, if that is known to the last block, else all. The machine may run or not. Of a backup
   * that fails nothing is left.
   *
   * @param dest a folder that exists, to which no other user may write.
   * @throws {ConfigError} when an image of a machine that does not run cannot be used.
   * @throws {QemuError} `QEMU_LOCKED` while other work on the disks or in the folder goes on, `QEMU_IO`,
   * `QEMU_NOT_PERMITTED`, `QEMU_COMMAND_FAILED` when a disk cannot be copied, `QEMU_NOT_RUNNING` when the machine ends
   * meanwhile, `QEMU_NO_AGENT` with `quiesce: 'on'`, `QEMU_NOT_INSTALLED`, `QEMU_USAGE` without disks, `QEMU_ABORTED`.
   */
  async create(dest: string, options: BackupOptions = {}): Promise<BackupResult> {
    const { createBackup } = await import('../backup/create-backup.ts');
    return createBackup(this.#host, this.#target, this.#config(), dest, options);
  }

  /** Its points in a folder, the oldest first. @throws {QemuError} as {@link Backups.list}. */
  async list(dest: string): Promise<readonly BackupPoint[]> {
    const { points } = await new Backups(dest).list();
    return points.filter(({ name }) => name === this.#name);
  }

  /**
   * Reads its points wholly, and compares them with their manifests.
   *
   * @param point undefined: all.
   * @throws {QemuError} as {@link Backups.verify}.
   */
  verify(dest: string, point?: string, options: LongWorkOptions = {}): Promise<readonly VerifiedPoint[]> {
    return new Backups(dest).verify({ name: this.#name, point }, options);
  }

  /** Deletes one of its points. @throws {QemuError} as {@link Backups.delete}. */
  delete(dest: string, point: string, options: LongWorkOptions = {}): Promise<RemovedPoint> {
    return new Backups(dest).delete({ name: this.#name, point }, options);
  }
}
