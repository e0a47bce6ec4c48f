import { readTail } from '../../system/files/log-file.ts';
import type { MachinePaths } from '../../system/paths.ts';

const LOG_TAIL_BYTES = 64 * 1024;

/**
 * What QEMU wrote last to the machine's log.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED`, `QEMU_IO` when it cannot be read.
 */
export function logTail(files: MachinePaths): string {
  return readTail(files.log, 0, LOG_TAIL_BYTES);
}
