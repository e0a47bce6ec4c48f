import { ensureDir } from '../system/files.ts';
import { withLock } from '../system/lock.ts';
import { removeEmptyFolder } from './clean-up.ts';
import type { Host, Target } from './host.ts';

/** Longest wait for another command on the same machine: more than any stop ladder of sensible length. */
const LOCK_TIMEOUT_MS = 3_600_000;

/** What the command that waits is told that it waits for. */
export interface ExclusiveOptions {
  /** Word for the command, such as `start`. */
  readonly purpose: string;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Runs `body` while no other command changes the machine. Says what it waits for when it has to. */
export async function exclusively<T>(
  host: Host,
  target: Target,
  options: ExclusiveOptions,
  body: () => Promise<T>,
): Promise<T> {
  ensureDir(host.paths.runDir, 0o711);
  ensureDir(target.files.dir, 0o700);
  const { purpose, timeoutMs = LOCK_TIMEOUT_MS, signal } = options;
  try {
    return await withLock(
      target.files.lock,
      {
        timeoutMs,
        signal,
        purpose,
        onWait: (holder) =>
          host.notify({
            level: 'info',
            machine: target.longName,
            message: `waiting for "${holder.command}" (process ${holder.pid}) to finish`,
          }),
      },
      body,
    );
  } finally {
    removeEmptyFolder(target.files);
  }
}
