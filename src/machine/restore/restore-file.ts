import { createHash } from 'node:crypto';
import { closeSync, fchmodSync, fchownSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { fileError } from '../../system/files/file-error.ts';
import { inFolderOf } from '../../system/files/held-folder.ts';
import { readSmallImage } from '../../system/images/small-image.ts';
import type { ReadablePoint } from '../backup/chain.ts';
import type { BackupFile } from '../backup/manifest.ts';
import type { FileOwner } from './restore-disk.ts';

/**
 * A small file of a point, whose checksum is compared.
 *
 * @throws {QemuError} `QEMU_IO` when it is missing, too large or has changed, `QEMU_NOT_PERMITTED`.
 */
export function readBackupFile({ folder, name, point }: ReadablePoint, file: BackupFile): Buffer {
  const path = join(folder, file.name);
  const content = readSmallImage(path);
  if (createHash('sha256').update(content).digest('hex') === file.sha256) return content;
  throw new QemuError('QEMU_IO', `"${path}" has changed since the backup`, {
    hint: `another point may be whole; see: qemu-init backup verify DEST ${name}@${point}`,
  });
}

/**
 * Writes a file where nothing is yet, and flushes it to the disk.
 *
 * @param owner undefined: the caller, with mode 0600.
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`.
 */
export function writePart(path: string, content: Uint8Array, owner: FileOwner | undefined): void {
  let fd: number | undefined;
  try {
    fd = inFolderOf(path, (held) => openSync(held, 'wx', 0o600));
    for (let rest = content; rest.length > 0; ) rest = rest.subarray(writeSync(fd, rest));
    if (owner) {
      if (process.geteuid?.() === 0) fchownSync(fd, owner.uid, owner.gid);
      fchmodSync(fd, owner.mode & 0o777);
    }
    fsyncSync(fd);
  } catch (error) {
    throw fileError('write', path, error);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
