import { basename, resolve } from 'node:path';
import { errorCode, QemuError } from '../../base/errors.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import { ancestry, filesOfDisk, findPoint, type ReadablePoint } from '../../machine/backup/chain.ts';
import { pointsOf } from '../../machine/backup/destination.ts';
import type { BackupDisk } from '../../machine/backup/manifest.ts';
import { settleQuietly } from '../../machine/backup/settle-quietly.ts';
import type { MachineRef } from '../../machine/context.ts';
import type { BackupId, Backups } from '../../machine/library/backups.ts';
import type { SourceFile } from '../../machine/restore/source-file.ts';
import { isThere } from '../../system/files/files.ts';
import { trustPath } from '../../system/trust/trusted-path.ts';
import type { Machines } from '../machines.ts';
import { extractDisk } from './extract-disk.ts';
import { restoreNew } from './restore-new.ts';
import { restoreOver } from './restore-over.ts';
import type { Restored, RestoreOptions, RestoreSource, SourceImage } from './restored.ts';

/**
 * Restores a machine from a backup: over the stopped machine of that name when there is one, and neither `as` nor `output` is
 * given; else as a new machine, which is registered. What is there is kept until all new files are whole and on the disk.
 *
 * @param id `point` undefined: the newest.
 * @throws {QemuError} `QEMU_MACHINE_UNKNOWN` for a machine or point that the folder does not have, `QEMU_MACHINE_STATE` when the
 * machine runs, or has a saved state, `QEMU_IO` when a file is in the way, or the backup is damaged, `QEMU_NOT_PERMITTED` when
 * other users may write to the backup, `QEMU_CONFIG_INVALID`, `QEMU_USAGE`, `QEMU_COMMAND_FAILED`, `QEMU_LOCKED`,
 * `QEMU_ABORTED`.
 */
export async function restoreBackup(
  machines: Machines,
  backups: Backups,
  id: BackupId,
  options: RestoreOptions = {},
): Promise<Restored> {
  const { as, output, disk } = options;
  if (disk !== undefined && as !== undefined) {
    throw new QemuError('QEMU_USAGE', 'One disk alone cannot become a machine: --disk and --as exclude each other');
  }
  const source = await openSource(backups, id, disk, options);
  if (disk !== undefined && output !== undefined) return extractDisk(source, resolve(output), options);
  const target = as === undefined && output === undefined ? machineOf(machines, source.point.name) : undefined;
  if (target) return restoreOver(machines, target, source, options);
  if (disk === undefined) return restoreNew(machines, source, options);
  throw new QemuError('QEMU_MACHINE_UNKNOWN', `There is no machine "${source.point.name}" that ${disk} belongs to`, {
    hint: `for the image alone: --disk ${disk} --output DIR`,
  });
}

/** The machine of that long name, registered or with a file in the usual place, as all other commands find it. */
function machineOf(machines: Machines, longName: string): MachineRef | undefined {
  const registered = machines.list().find((each) => each.longName === longName);
  if (registered) return registered;
  try {
    const found = machines.getOfUnit(longName);
    return isThere(found.configPath) ? found : undefined;
  } catch (error) {
    if (errorCode(error) !== 'QEMU_MACHINE_UNKNOWN') throw error;
    return undefined;
  }
}

/**
 * The images of a point, or of one of its disks.
 *
 * @throws {QemuError} as {@link restoreBackup}.
 */
export async function openSource(
  backups: Backups,
  id: BackupId,
  key: string | undefined,
  options: LongWorkOptions,
): Promise<RestoreSource> {
  const longName = await backups.longNameOf(id.name);
  await settleQuietly(backups.dest, longName, options);
  const points = pointsOf(backups.dest, longName);
  const point = findPoint(points, id.point);
  const chain = ancestry(points, point);
  // The cfg of a backup has commands that root runs, and what others can exchange is no backup.
  for (const { folder } of chain) trustPath(folder);
  const disks = point.manifest.disks.filter((each) => key === undefined || each.key === key);
  if (key !== undefined && disks.length === 0) {
    const hint = `it has: ${point.manifest.disks.map((each) => each.key).join(', ')}`;
    throw new QemuError('QEMU_DEVICE_UNKNOWN', `Backup ${longName}@${point.point} has no ${key}`, { hint });
  }
  return { point, disks: disks.map((disk) => ({ disk, ...imageOf(chain, disk) })) };
}

function imageOf(chain: readonly ReadablePoint[], disk: BackupDisk): Omit<SourceImage, 'disk'> {
  const files = filesOfDisk(chain, disk.key).map((path) => fileInManifest(chain, path));
  return { files, sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
}

/** @throws {QemuError} `QEMU_IO` for an image that has another size by now: it was cut off, or written to. */
function fileInManifest(chain: readonly ReadablePoint[], path: string): SourceFile {
  const { stats } = trustPath(path);
  const point = chain.find(({ folder }) => path.startsWith(`${folder}/`));
  const wanted = point?.manifest.disks.find((each) => each.file === basename(path));
  if (wanted !== undefined && stats?.size === wanted.sizeBytes) {
    return { path, sizeBytes: wanted.sizeBytes, sha256: wanted.sha256 };
  }
  throw new QemuError(
    'QEMU_IO',
    `"${path}" has ${stats?.size} bytes, not ${wanted?.sizeBytes} as when it was backed up`,
    {
      hint: 'see: qemu-init backup verify DEST',
    },
  );
}
