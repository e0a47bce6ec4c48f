import { stat, utimes } from 'node:fs';
import { resolve } from 'node:path';
import { abortError, delay, MOST_TIMER_MS } from '../../base/abort.ts';
import { errorCode, QemuError } from '../../base/errors.ts';
import { fileError } from '../files/file-error.ts';
import { claimLockFolder, type LockHolder, readLockHolder, releaseLockFolder } from './lock-folder.ts';
import { queueUp } from './turn-queue.ts';

export { dropDeadLock, type LockHolder, readLockHolder } from './lock-folder.ts';

/*
 * `withLock` is the only way to lock here. What a lock is on disk, and when one is left over, is in lock-folder.ts; the
 * order of calls within this process is in turn-queue.ts; proper-lockfile keeps a lock that is held and notices its loss.
 */

/** How to wait for a lock. */
export interface LockOptions {
  /** How long to wait for others. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Called once after half a second of waiting, so that the user can be shown what is being waited for. */
  readonly onWait?: ((holder: LockHolder) => void) | undefined;
  /** One word that other processes show while they wait, such as `stop`. */
  readonly purpose?: string | undefined;
}

/**
 * Runs `body` while this process holds the lock: the folder `lockPath`, of which every process and every other call in
 * this process holds at most one at a time. Missing folders above it are made. A lock whose holder was killed is taken
 * over at once, so no process ever waits for a dead one.
 *
 * While the lock is held `lost` is watched: it is aborted if the folder is removed by force.
 *
 * The package it uses, proper-lockfile, listens for SIGINT, SIGTERM and others from its first use, to remove locks
 * before the process dies of them. It leaves the signal to the program's own listener, but counts listeners only after
 * that one ran: listen with `process.on`, never `process.once`, or the process dies of the signal right after.
 *
 * @throws {QemuError} `QEMU_LOCKED` when another holds it for longer than `timeoutMs`, `QEMU_ABORTED` when the signal
 * aborts the wait, `QEMU_NOT_PERMITTED` or `QEMU_IO` when the folder cannot be made; and what `body` throws.
 */
export async function withLock<T>(
  lockPath: string,
  options: LockOptions,
  body: (lost: AbortSignal) => Promise<T>,
): Promise<T> {
  const path = resolve(lockPath);
  const wait = startWaiting(path, options);
  const turn = queueUp(path);
  try {
    await wait.until(turn.come);
    const lost = new AbortController();
    const release = await acquire(path, options.purpose ?? '', wait, lost);
    wait.end();
    try {
      return await body(lost.signal);
    } finally {
      await release();
    }
  } finally {
    wait.end();
    turn.leave();
  }
}

const NOTICE_AFTER_MS = 500;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 100;

/** The deadline, the signal and the notice of one call of {@link withLock}. */
interface Waiting {
  /** Waits for a promise, no longer than allowed. */
  readonly until: (promise: Promise<void>) => Promise<void>;
  readonly pause: (ms: number) => Promise<void>;
  readonly end: () => void;
}

function startWaiting(path: string, options: LockOptions): Waiting {
  const { timeoutMs, signal, onWait } = options;
  if (signal?.aborted) throw abortError(signal);
  const over = new AbortController();
  const deadline = setTimeout(() => over.abort(lockedError(path)), Math.min(timeoutMs, MOST_TIMER_MS));
  const notice = setTimeout(() => {
    const holder = readLockHolder(path);
    // The holder is this process: this call has the lock by now, or another one does.
    if (holder === undefined || holder.pid === process.pid) notice.refresh();
    else onWait?.(holder);
  }, NOTICE_AFTER_MS);
  const abort = (): void => over.abort(abortError(signal));
  signal?.addEventListener('abort', abort);
  const expired = new Promise<never>((_, reject) => {
    over.signal.addEventListener('abort', () => reject(over.signal.reason));
  });
  // It may be rejected while nothing awaits it.
  expired.catch(() => {});

  return {
    until: (promise) => Promise.race([promise, expired]),
    pause: (ms) => Promise.race([delay(ms), expired]),
    end: () => {
      clearTimeout(deadline);
      clearTimeout(notice);
      signal?.removeEventListener('abort', abort);
    },
  };
}

function lockedError(path: string): QemuError {
  const holder = readLockHolder(path);
  if (holder?.pid === process.pid) {
    return new QemuError('QEMU_LOCKED', `Lock "${path}" is held by another call of this process ("${holder.command}")`);
  }
  const by = holder === undefined ? 'another process' : `process ${holder.pid} ("${holder.command}")`;
  return new QemuError('QEMU_LOCKED', `Lock "${path}" is held by ${by}`, {
    hint: holder === undefined ? 'try again' : `try again when it has ended, or look at it: ps -fp ${holder.pid}`,
  });
}

async function acquire(
  path: string,
  purpose: string,
  wait: Waiting,
  lost: AbortController,
): Promise<() => Promise<void>> {
  // Imported late: it would cost every command some milliseconds and install its signal handlers. The default export,
  // because a bundle has no named exports of a CommonJS module.
  const { lock } = (await import('proper-lockfile')).default;
  const lockOptions = {
    lockfilePath: path,
    realpath: false,
    // The age of a lock does not matter: lock folders name their holder, and mkdir below clears away dead ones.
    stale: Number.POSITIVE_INFINITY,
    update: 5_000,
    fs: lockFileSystem(purpose),
    // The default throws inside a timer, which would crash the process in the middle of its work.
    onCompromised: (cause: Error) => lost.abort(lostError(path, cause)),
  };
  let pauseMs = FIRST_PAUSE_MS;
  for (;;) {
    try {
      const release = await lock(path, lockOptions);
      return () => giveBack(path, lost.signal.aborted ? undefined : release);
    } catch (error) {
      if (errorCode(error) !== 'ELOCKED') throw fileError('lock', path, error);
    }
    await wait.pause(pauseMs);
    pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS);
  }
}

/** proper-lockfile no longer knows a lost lock, but its folder may still exist and name this process. */
async function giveBack(path: string, release: (() => Promise<void>) | undefined): Promise<void> {
  try {
    if (release === undefined) releaseLockFolder(path);
    else await release();
  } catch (error) {
    throw fileError('unlock', path, error);
  }
}

function lostError(path: string, cause: Error): QemuError {
  return new QemuError('QEMU_LOCKED', `Lock "${path}" was removed`, { cause });
}

type Done = (error: unknown) => void;

/** The part of node:fs that proper-lockfile works with, making and removing lock folders our way. */
function lockFileSystem(purpose: string): object {
  return {
    mkdir: (path: string, done: Done) => report(done, () => claimLockFolder(path, purpose)),
    rmdir: (path: string, done: Done) => report(done, () => releaseLockFolder(path)),
    rmdirSync: releaseLockFolder,
    stat,
    utimes,
  };
}

function report(done: Done, action: () => void): void {
  try {
    action();
  } catch (error) {
    done(error);
    return;
  }
  done(null);
}
