import { join } from 'node:path';
import { ensureDir, namesIn, removeIfExists } from '../../system/files/files.ts';
import type { Paths } from '../../system/paths.ts';
import { readProcess } from '../../system/process/process.ts';

/**
 * Path of a socket that is there as long as this process, for a move between hosts. What others have left that were killed
 * is removed. @throws {QemuError} `QEMU_NOT_PERMITTED`, `QEMU_IO`.
 */
export function ownMoveFile({ runDir }: Pick<Paths, 'runDir'>, purpose: string): string {
  ensureDir(runDir, 0o711);
  for (const name of namesIn(runDir)) {
    const pid = Number(/^\.move-(\d+)\./.exec(name)?.[1] ?? process.pid);
    if (readProcess(pid) === undefined) removeIfExists(join(runDir, name));
  }
  return join(runDir, `.move-${process.pid}.${purpose}`);
}
