import { join, resolve } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { asQcow2 } from '../../machine/backup/chain.ts';
import type { BackupId, Backups } from '../../machine/library/backups.ts';
import { ensureDir } from '../../system/files/files.ts';
import { chainAsJson } from '../../system/images/chain-as-json.ts';
import { serveImage } from '../../system/images/nbd-server.ts';
import type { Paths } from '../../system/paths.ts';
import { openSource } from './restore.ts';

/** A disk of a backup that programs can read. */
export interface ServedDisk {
  /** Long name of the machine that it is from. */
  readonly name: string;
  readonly point: string;
  /** `DSK1`. */
  readonly disk: string;
  /** Path of the unix socket. */
  readonly socket: string;
  /** The same as qemu-img(1) and others take it: `nbd+unix:///?socket=…`. */
  readonly uri: string;
  readonly virtualSizeBytes: number;
}

/** What is served, how, and until when. */
export interface ServeOptions {
  /** Key of the disk: `DSK2`; not needed when there is only one. */
  readonly disk?: string | undefined;
  /** Path of the unix socket (default: in the run-time folder). */
  readonly socket?: string | undefined;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Ends it when no program has been connected for so long, in milliseconds (default: never). */
  readonly idleMs?: number | undefined;
  /** Called when another number of connections is open than before; at first there is none. */
  readonly onConnections?: ((count: number) => void) | undefined;
  /** Called once programs can connect. */
  readonly onReady: (served: ServedDisk) => void;
}

/**
 * Lets programs read a disk as it was at a point of a backup, over NBD on a unix socket, until the signal. Nothing of the
 * backup changes, whatever they do.
 *
 * @throws {QemuError} `QEMU_USAGE` when it is to be said which disk, or the socket is there already; else as
 * `restoreBackup` and {@link serveImage}.
 */
export async function serveBackup(
  paths: Paths,
  backups: Backups,
  id: BackupId,
  { disk, socket, onReady, ...options }: ServeOptions,
): Promise<void> {
  const { point, disks } = await openSource(backups, id, disk, { signal: options.signal });
  const [source, ...more] = disks;
  if (source === undefined || more.length > 0) {
    const keys = disks.map((each) => each.disk.key).join(', ');
    throw new QemuError('QEMU_USAGE', `Backup ${point.name}@${point.point} has several disks`, {
      hint: `one at a time: --disk DSKx, one of ${keys}`,
    });
  }
  const { key, virtualSizeBytes } = source.disk;
  const path = socket === undefined ? inRunDir(paths, `${point.name}-${point.point}-${key}`) : resolve(socket);
  const uri = `nbd+unix:///?socket=${path.split('/').map(encodeURIComponent).join('/')}`;
  const served = { name: point.name, point: point.point, disk: key, socket: path, uri, virtualSizeBytes };
  await serveImage(chainAsJson(asQcow2(source.files.map((file) => file.path))), path, {
    ...options,
    onReady: () => onReady(served),
  });
}

function inRunDir({ runDir }: Paths, name: string): string {
  ensureDir(runDir, 0o711);
  return join(runDir, `.nbd-${name}.sock`);
}
