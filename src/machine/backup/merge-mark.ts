import { join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { isRecord } from '../../base/guards.ts';
import { readBoundedText } from '../../system/files/bounded-text.ts';
import { isThere, removeIfExists } from '../../system/files/files.ts';
import { syncPath } from '../../system/files/sync.ts';
import { writeFileAtomic } from '../../system/files/write-file.ts';
import { isPointName } from './point-name.ts';

/** A merge that has begun: `from` is no point any more, and `into` is complete at every moment. */
export interface MergeMark {
  readonly from: string;
  readonly into: string;
}

const MOST_BYTES = 4096;

/**
 * The merge that goes on, or was interrupted, in the folder of a machine's backups.
 *
 * @throws {QemuError} `QEMU_IO` for a damaged mark, `QEMU_NOT_PERMITTED`.
 */
export function readMergeMark(folder: string): MergeMark | undefined {
  const file = markOf(folder);
  if (!isThere(file)) return undefined;
  const { from, into } = parse(readBoundedText(file, MOST_BYTES));
  if (typeof from === 'string' && typeof into === 'string' && isPointName(from) && isPointName(into) && from !== into) {
    return { from, into };
  }
  throw new QemuError('QEMU_IO', `"${file}" is damaged`, { hint: 'verify the backups, then remove that file' });
}

/** Notes it, before anything is changed. @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`. */
export function writeMergeMark(folder: string, mark: MergeMark): void {
  writeFileAtomic(markOf(folder), `${JSON.stringify(mark)}\n`, 0o600, { durable: true });
}

/** Removes it, when nothing is left to be done. @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`. */
export function removeMergeMark(folder: string): void {
  removeIfExists(markOf(folder));
  syncPath(folder);
}

function markOf(folder: string): string {
  return join(folder, '.merging.json');
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}
