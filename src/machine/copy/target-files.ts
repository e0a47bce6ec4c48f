import { chmodSync, chownSync, closeSync, constants, fchmodSync, fchownSync, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { fileError } from '../../system/files/file-error.ts';
import { runQemuImg } from '../../system/images/qemu-img.ts';
import type { Target } from './transaction.ts';

const CREATE_MS = 60_000;

/**
 * Makes the empty images of a point. QEMU may not be able to make files there; it gets those that it is to write to.
 *
 * @param user the one that QEMU runs as; undefined: the caller.
 * @throws {QemuError} `QEMU_COMMAND_FAILED`, `QEMU_NOT_INSTALLED`, `QEMU_IO`, `QEMU_ABORTED`.
 */
export async function makeTargets(
  folder: string,
  targets: readonly Target[],
  user: { readonly uid: number; readonly gid: number } | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const { file, format, sizeBytes, backing } of targets) {
    const path = join(folder, file);
    const on = backing === undefined ? [] : ['-u', '-b', backing, '-F', 'qcow2'];
    const args = ['create', '-q', '-f', format, ...on, path, String(sizeBytes)];
    const { exitCode, stderr } = await runQemuImg(args, { prefix: [], timeoutMs: CREATE_MS, signal });
    if (exitCode !== 0) {
      throw new QemuError('QEMU_COMMAND_FAILED', `Cannot make "${path}": ${stderr.trim().slice(0, 500)}`);
    }
    try {
      chmodSync(path, 0o600);
      if (user) chownSync(path, user.uid, user.gid);
    } catch (error) {
      throw fileError('give away', path, error);
    }
  }
}

/**
 * Takes an image back from QEMU's user: whole, it is for those only whose backup it is.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`.
 */
export function takeBack(path: string): void {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const own = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
      if (fstatSync(fd).uid !== own.uid) fchownSync(fd, own.uid, own.gid);
      fchmodSync(fd, 0o600);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw fileError('take back', path, error);
  }
}
