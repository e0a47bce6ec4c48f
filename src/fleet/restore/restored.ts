import type { Problem } from '../../base/problem.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import type { ReadablePoint } from '../../machine/backup/chain.ts';
import type { BackupDisk } from '../../machine/backup/manifest.ts';
import type { DiskTask } from '../../machine/restore/replace-files.ts';
import type { FileOwner } from '../../machine/restore/restore-disk.ts';
import type { SourceFile } from '../../machine/restore/source-file.ts';
import type { RunAs } from '../../machine/start/run-as.ts';

/** Where a restore goes. */
export interface RestoreOptions extends LongWorkOptions {
  /** Long name of a new machine: a copy with a UUID and MAC addresses of its own. */
  readonly as?: string | undefined;
  /** Folder for the cfg file and the images of a new machine, or with `disk` for that image alone. */
  readonly output?: string | undefined;
  /** Key of the only disk that is restored: `DSK2`. */
  readonly disk?: string | undefined;
  /** Drops a saved state of the machine that is restored. */
  readonly fresh?: boolean | undefined;
}

/** What is restored. */
export interface RestoreSource {
  readonly point: ReadablePoint;
  readonly disks: readonly SourceImage[];
}

/** A disk of a point with the images that it consists of. */
export interface SourceImage {
  readonly disk: BackupDisk;
  /** Its top first. */
  readonly files: readonly SourceFile[];
  /** Of all of them. */
  readonly sizeBytes: number;
}

/** The result of a restore. */
export interface Restored {
  /** Long name of the machine that has it now; of an image alone, of the machine that it is from. */
  readonly name: string;
  /** Undefined: it was not registered. */
  readonly shortName: string | undefined;
  readonly point: string;
  /** `created`: a new machine; `replaced`: over one that was there; `extracted`: an image alone. */
  readonly outcome: 'created' | 'replaced' | 'extracted';
  /** Undefined: an image alone. */
  readonly configPath: string | undefined;
  readonly disks: readonly {
    readonly key: string;
    readonly path: string;
    readonly format: string;
    readonly virtualSizeBytes: number;
  }[];
  /** What was not restored as it was, as sentences. */
  readonly notes: readonly string[];
  /** Problems of the machine now. */
  readonly issues: readonly Problem[];
}

/** The task of an image that goes there. */
export function diskTask(
  { disk, files, sizeBytes }: SourceImage,
  path: string,
  owner: FileOwner | undefined,
): DiskTask {
  const { key, virtualSizeBytes } = disk;
  return { key, path, files, sizeBytes, virtualSizeBytes, format: formatOf(disk), owner };
}

/** A backup is not encrypted, whatever the disk was. */
export function formatOf({ sourceFormat }: BackupDisk): string {
  return sourceFormat === 'luks' ? 'raw' : sourceFormat;
}

/** A new file of the user that QEMU runs as. */
export function ownedBy(user: RunAs | undefined): FileOwner | undefined {
  return user && { uid: user.uid, gid: user.gid, mode: 0o600 };
}

/** What the result says of the disks. */
export function diskRows(tasks: readonly DiskTask[]): Restored['disks'] {
  return tasks.map(({ key, path, format, virtualSizeBytes }) => ({ key, path, format, virtualSizeBytes }));
}
