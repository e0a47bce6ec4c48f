import { isUtf8 } from 'node:buffer';
import { writeFileSync } from 'node:fs';
import { QemuError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import { fileError } from '../../system/files/file-error.ts';
import { ensureDir } from '../../system/files/files.ts';
import { removeWhole } from '../../system/files/remove-tree.ts';
import { withImage } from '../../system/images/image.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { trustPath } from '../../system/trust/trusted-path.ts';
import { keyCopy } from '../argv/disks.ts';

/** Passphrases are short; key files of LUKS have 8 MiB at most. */
const MOST_KEY_BYTES = 8 * 1024 * 1024;

/** Whether the group or others may use a file: stat(2). */
const OPEN_TO_OTHERS = 0o077;

type KeyProblem = 'is not a file' | 'is empty' | 'is too large' | 'is not UTF-8 text' | 'can be used by others';

/**
 * What is wrong with a key file, as a clause; undefined when it can be used. QEMU takes keys that are UTF-8 only.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` when it cannot be read, or others may change it.
 */
export function keyProblem(path: string): KeyProblem | undefined {
  // QEMU gets a copy of what root reads there.
  trustPath(path);
  return withImage(path, (file, stats) => {
    if (!stats.isFile()) return 'is not a file';
    if (stats.size === 0) return 'is empty';
    if (stats.size > MOST_KEY_BYTES) return 'is too large';
    if (!isUtf8(file.read(0, stats.size))) return 'is not UTF-8 text';
    return (stats.mode & OPEN_TO_OTHERS) === 0 ? undefined : 'can be used by others';
  });
}

/**
 * Copies the keys of encrypted images to where QEMU reads them. They are to be removed by {@link removeKeys} as soon as
 * it has: it needs them only to open the images.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`.
 */
export function writeKeys(config: MachineConfig, files: MachinePaths): void {
  removeKeys(files);
  for (const disk of config.disks) {
    if (disk.key === undefined) continue;
    const problem = keyProblem(disk.key);
    if (problem !== undefined) throw new QemuError('QEMU_IO', `Cannot use the key "${disk.key}": it ${problem}`);
    const bytes = withImage(disk.key, (file) => file.read(0, Math.min(file.sizeBytes, MOST_KEY_BYTES)));
    ensureDir(files.keysDir, 0o700);
    const copy = keyCopy(files.keysDir, disk);
    try {
      writeFileSync(copy, bytes, { mode: 0o600, flag: 'wx' });
    } catch (error) {
      throw fileError('write', copy, error);
    }
  }
}

/** Removes the copies; only the caller's user can write to their folder. */
export function removeKeys(files: MachinePaths): void {
  removeWhole(files.keysDir);
}
