import { QemuError } from '../base/errors.ts';
import type { MachineManager } from '../fleet/machine-manager.ts';
import { pointsOf } from '../machine/backup/destination.ts';
import type { Snapshot } from '../machine/snapshot/list.ts';

/** What a page shows of the one machine that it is about. */
export interface MachineDetail {
  readonly name: string;
  readonly snapshots: readonly Snapshot[];
  /** Why the snapshots cannot be listed. */
  readonly snapshotsError: string | undefined;
  /** Undefined without BACKUP in the machine's file. */
  readonly backups: MachineBackupsView | undefined;
}

/** The backups of a machine in the folder of its file. */
export interface MachineBackupsView {
  readonly dest: string;
  /** Why they cannot be listed. */
  readonly error: string | undefined;
  /** Oldest first. */
  readonly points: readonly BackupPointView[];
}

/** One of them. */
export interface BackupPointView {
  readonly point: string;
  /** `full` or `incremental`; undefined for a damaged one. */
  readonly kind: string | undefined;
  /** ISO 8601. */
  readonly createdAt: string | undefined;
  readonly sizeBytes: number | undefined;
  readonly error: string | undefined;
}

/** Reads it. Nothing that a machine or a folder contains makes it fail. */
export async function readDetail(fleet: MachineManager, name: string): Promise<MachineDetail> {
  const [snapshots, snapshotsError] = await orWhy([], () => fleet.machine(fleet.get(name)).snapshots.list());
  return { name, snapshots, snapshotsError, backups: await readBackups(fleet, name) };
}

async function readBackups(fleet: MachineManager, name: string): Promise<MachineBackupsView | undefined> {
  const [dest] = await orWhy(undefined, async () => fleet.config(fleet.get(name)).backup?.dest);
  if (dest === undefined) return undefined;
  const [points, error] = await orWhy([], async () => pointsOf(dest, fleet.get(name).longName).map(viewOf));
  return { dest, points, error };
}

function viewOf({ point, manifest, error }: ReturnType<typeof pointsOf>[number]): BackupPointView {
  return {
    point,
    kind: manifest?.kind,
    createdAt: manifest?.createdAt,
    sizeBytes: manifest?.disks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    error: error?.message,
  };
}

/** The value, or a substitute and why there is none. */
async function orWhy<T>(substitute: T, read: () => Promise<T>): Promise<[T, string | undefined]> {
  try {
    return [await read(), undefined];
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    // A folder without backups of it yet is none.
    return [substitute, error.code === 'QEMU_MACHINE_UNKNOWN' ? undefined : error.message];
  }
}
