import { chmodSync, chownSync, linkSync, renameSync, statSync } from 'node:fs';
import { QemuError } from '../../base/errors.ts';
import { fileError } from '../../system/files/file-error.ts';
import { removeIfExists } from '../../system/files/files.ts';
import { hiddenSibling } from '../../system/files/hidden-sibling.ts';
import type { User } from '../../system/users.ts';
import { makeDisk } from '../disks/make-disk.ts';
import type { NewFiles } from '../new-files.ts';
import type { ClonedDisk } from './clone-plan.ts';

/**
 * Makes the disk of a stopped machine the base of two overlays: one takes its place, the other is the clone's. At each
 * moment the name of the disk is that of a whole image; nothing is copied.
 *
 * @returns what has to be done when the clone fails after all.
 * @throws {QemuError} `QEMU_COMMAND_FAILED`, `QEMU_IO`, `QEMU_ABORTED`.
 */
export async function shareDisk(
  files: NewFiles,
  { disk, path, format, sizeBytes, base }: ClonedDisk & { readonly base: string },
  user: User | undefined,
  signal: AbortSignal | undefined,
): Promise<() => void> {
  const { file } = disk;
  const stats = statSync(file);
  if (!stats.isFile()) throw new QemuError('QEMU_USAGE', `"${file}" is not a file, so it cannot become a base`);
  const source = { path: base, format, virtualSizeBytes: sizeBytes };
  const options = { user, signal, phase: 'linking' };
  await makeDisk(files.file(path, user), path, { sizeBytes, source, isLinked: true }, options);
  const overlay = hiddenSibling(file, 'part');
  try {
    await makeDisk(
      files.scratchAt(overlay),
      file,
      { sizeBytes, source, isLinked: true },
      { ...options, user: undefined },
    );
    if (process.geteuid?.() === 0) chownSync(overlay, stats.uid, stats.gid);
    linkSync(file, base);
    try {
      renameSync(overlay, file);
    } catch (error) {
      removeIfExists(base);
      throw error;
    }
    // Nothing writes to it any more, and both machines read it.
    if (process.geteuid?.() === 0) chownSync(base, 0, 0);
    chmodSync(base, 0o444);
  } catch (error) {
    throw error instanceof QemuError ? error : fileError('share', file, error);
  }
  return () => {
    if (process.geteuid?.() === 0) chownSync(base, stats.uid, stats.gid);
    chmodSync(base, stats.mode & 0o7777);
    renameSync(base, file);
  };
}
