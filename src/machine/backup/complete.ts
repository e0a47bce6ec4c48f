import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { OnProgress } from '../../base/progress.ts';
import { fileError } from '../../system/files/file-error.ts';
import { type FileHash, hashFile } from '../../system/files/hash-file.ts';
import { sizeOf } from '../../system/files/log/log-file.ts';
import { flushPath, syncPath } from '../../system/files/sync.ts';
import { writeFileAtomic } from '../../system/files/write-file.ts';
import { readImageInfo } from '../../system/images/image.ts';
import { takeBack } from '../copy/target-files.ts';
import { type BackupManifest, MANIFEST_NAME, renderManifest } from './manifest.ts';
import { partFolder } from './part-folder.ts';

/**
 * Completes a point: its images are closed, and become the caller's again, are looked at, flushed and summed; then it
 * gets its manifest and its name.
 *
 * @throws {QemuError} `QEMU_IO`, `QEMU_NOT_PERMITTED`, `QEMU_COMMAND_FAILED` when QEMU made something else of an image;
 * `QEMU_ABORTED`.
 */
export async function completePoint(
  folder: string,
  point: string,
  draft: BackupManifest,
  options: { readonly onProgress: OnProgress; readonly signal: AbortSignal | undefined },
): Promise<BackupManifest> {
  const part = partFolder(folder, point);
  for (const { file, backing } of draft.disks) {
    takeBack(join(part, file));
    requireImage(join(part, file), backing);
  }
  for (const { name, role } of draft.files) if (role === 'firmware') takeBack(join(part, name));
  const manifest = await sumAll(part, draft, options);
  writeFileAtomic(join(part, MANIFEST_NAME), renderManifest(manifest), 0o600, { durable: true });
  try {
    renameSync(part, join(folder, point));
    syncPath(folder);
  } catch (error) {
    throw fileError('rename', part, error);
  }
  return manifest;
}

/**
 * Until now QEMU's user could write to the image. A captured one could let it lead to another file, which a restore
 * would then copy from.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED`
 */
export function requireImage(path: string, backing: string | undefined): void {
  const { format, backingFile, backingFormat, dataFile } = readImageInfo(path);
  const isRight =
    format === 'qcow2' &&
    dataFile === undefined &&
    backingFile === backing &&
    (backing === undefined || backingFormat === 'qcow2');
  if (isRight) return;
  throw new QemuError('QEMU_COMMAND_FAILED', `"${path}" is not the image that was to be written`, {
    hint: 'QEMU, or another process of its user, has changed its header',
  });
}

async function sumAll(
  part: string,
  draft: BackupManifest,
  { onProgress, signal }: Parameters<typeof completePoint>[3],
): Promise<BackupManifest> {
  const names = [...draft.disks.map(({ file }) => file), ...draft.files.map(({ name }) => name)];
  const total = names.reduce((sum, name) => sum + sizeOf(join(part, name)), 0);
  let done = 0;
  const sums = new Map<string, FileHash>();
  for (const name of names) {
    const path = join(part, name);
    const onBytes = (count: number): void => {
      done += count;
      onProgress({ phase: 'checking', done, total });
    };
    // The disk is busy with the one, the processor with the other.
    const [sum] = await Promise.all([hashFile(path, { signal, onBytes }), flushed(path)]);
    sums.set(name, sum);
  }
  const sumOfName = (name: string): FileHash => sums.get(name) ?? { sizeBytes: 0, sha256: '' };
  return {
    ...draft,
    disks: draft.disks.map((disk) => ({ ...disk, ...sumOfName(disk.file) })),
    files: draft.files.map((file) => ({ ...file, ...sumOfName(file.name) })),
  };
}

async function flushed(path: string): Promise<void> {
  try {
    await flushPath(path);
  } catch (error) {
    throw fileError('flush', path, error);
  }
}
