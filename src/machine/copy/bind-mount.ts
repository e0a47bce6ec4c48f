import { rmdirSync } from 'node:fs';
import { isNotFound, QemuError } from '../../base/errors.ts';
import { fileError } from '../../system/files/file-error.ts';
import { ensureDir } from '../../system/files/files.ts';
import { mountOf, readMounts } from '../../system/files/mounts.ts';
import { run } from '../../system/process/exec.ts';

const MOUNT_MS = 10_000;

/**
 * Shows a folder at another place as well, where QEMU's user can reach it, which may not pass the folders above it; a
 * unit may not see them at all. Only root can do that.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` where the host does not allow it, `QEMU_IO`.
 */
export async function bindMount(folder: string, place: string): Promise<void> {
  // Whatever the umask: QEMU's user has to pass.
  ensureDir(place, 0o711);
  const { exitCode, stderr } = await run('mount', ['--bind', '--', folder, place], { timeoutMs: MOUNT_MS });
  if (exitCode === 0) return;
  rmdirSync(place);
  throw new QemuError('QEMU_COMMAND_FAILED', `Cannot mount "${folder}" at "${place}": ${stderr.trim().slice(0, 500)}`);
}

/** Takes it away again, also when it was never mounted. @throws {QemuError} `QEMU_COMMAND_FAILED`, `QEMU_IO`. */
export async function unmount(place: string): Promise<void> {
  if (mountOf(readMounts(), place)?.point === place) {
    const { exitCode, stderr } = await run('umount', ['--lazy', '--', place], { timeoutMs: MOUNT_MS });
    if (exitCode !== 0) throw new QemuError('QEMU_COMMAND_FAILED', `Cannot unmount "${place}": ${stderr.trim()}`);
  }
  try {
    rmdirSync(place);
  } catch (error) {
    if (!isNotFound(error)) throw fileError('remove', place, error);
  }
}
