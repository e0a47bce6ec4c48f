import { delay } from '../../base/abort.ts';
import { QmpRefusedError } from '../../base/errors.ts';
import { failureOf } from '../../domain/job-error.ts';
import { copyFailed, type FollowOptions, ROOM_MS, type Visit } from './follow.ts';
import { finalNode, type Target } from './transaction.ts';

/** QEMU has some megabytes of tables in memory, and a slow disk. */
const WRITE_MS = 120_000;

/**
 * Lets QEMU write the tables of an image whose data is complete. They are in its memory until then, so a copy may have
 * succeeded though there is no room for them.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` when they cannot be written, `QEMU_ABORTED`, and what a visit throws.
 */
export async function finishWriting(
  visit: Visit,
  target: Pick<Target, 'id' | 'format'>,
  { folder, waitForSpace, onFull, signal }: Pick<FollowOptions, 'folder' | 'waitForSpace' | 'onFull' | 'signal'>,
): Promise<void> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      const options = [finalNode(target)];
      await visit((domain) => domain.run('blockdev-reopen', { options }, { timeoutMs: WRITE_MS }));
      return;
    } catch (error) {
      if (!(error instanceof QmpRefusedError)) throw error;
      const isFull = failureOf(error.desc) === 'nospace';
      if (!isFull || !waitForSpace) throw copyFailed(target.id.toUpperCase(), error.desc, folder);
      if (isFirst) onFull(false);
      await delay(ROOM_MS, signal);
    }
  }
}
