import { errorCode, QemuError } from '../../base/errors.ts';
import { ensureDir } from '../../system/files/files.ts';
import { type LockHolder, withLock } from '../../system/lock/lock.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { removeEmptyFolder } from './clean-up.ts';

/** Longest wait for another command on the same machine: more than any stop ladder of sensible length. */
const LOCK_TIMEOUT_MS = 3_600_000;

/** What a waiting command reports that it waits for. */
export interface ExclusiveOptions {
  /** Word for the command, such as `start`. */
  readonly purpose: string;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Runs `body` while no other command changes the machine. Reports what it waits for when it has to. */
export async function exclusively<T>(
  host: MachineContext,
  target: MachineRef,
  options: ExclusiveOptions,
  body: () => Promise<T>,
): Promise<T> {
  const { purpose, timeoutMs = LOCK_TIMEOUT_MS, signal } = options;
  const lockOptions = {
    timeoutMs,
    signal,
    purpose,
    onWait: (holder: LockHolder) =>
      host.notify({
        level: 'info',
        machine: target.longName,
        message: `waiting for "${holder.command}" (process ${holder.pid}) to finish`,
      }),
  };
  try {
    ensureDir(host.paths.runDir, 0o711);
    ensureDir(target.files.dir, 0o700);
    return await withLock(target.files.lock, lockOptions, body);
  } finally {
    removeEmptyFolder(target.files);
  }
}

/** Removes the lock of a command that was killed, from a machine that no other command will come to. */
export async function dropStaleLock(host: MachineContext, target: MachineRef): Promise<void> {
  try {
    await exclusively({ ...host, notify: () => {} }, target, { purpose: 'ended', timeoutMs: 1 }, async () => {});
  } catch (error) {
    // A command that lives removes it itself.
    if (!(error instanceof QemuError) || error.code !== 'QEMU_LOCKED') throw error;
  }
}

/**
 * Does `body` within `lock`. Where there is no room for the lock, or the file system is read-only, `body` is done all
 * the same: for what ends or asks a running machine, which matters more.
 *
 * @param codes of the errors of the lock for which that is so.
 */
export async function lockedIfPossible<T>(
  lock: (body: () => Promise<T>) => Promise<T>,
  body: () => Promise<T>,
  codes: readonly (string | undefined)[] = [...NO_ROOM, 'EROFS'],
): Promise<T> {
  let isInside = false;
  try {
    return await lock(() => {
      isInside = true;
      return body();
    });
  } catch (error) {
    if (isInside || !(error instanceof QemuError) || !codes.includes(errorCode(error.cause))) throw error;
    return body();
  }
}

/** The disk is full, which keeps nobody from removing a file. */
export const NO_ROOM: readonly string[] = ['ENOSPC', 'EDQUOT'];
