import { join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import { settleMerge, withBackups } from './merge.ts';
import { readMergeMark } from './merge-mark.ts';

/**
 * Goes on with a merge that was interrupted, where this process may write. For those who only read: whatever is wrong
 * else they find themselves.
 *
 * @throws {QemuError} `QEMU_ABORTED`
 */
export async function settleQuietly(dest: string, longName: string, options: LongWorkOptions): Promise<void> {
  try {
    if (readMergeMark(join(dest, longName)) === undefined) return;
    const { signal } = options;
    await withBackups(dest, longName, { purpose: 'merge', signal }, () => settleMerge(dest, longName, options));
  } catch (error) {
    if (!(error instanceof QemuError) || error.code === 'QEMU_ABORTED') throw error;
  }
}
