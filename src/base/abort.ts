import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { QemuError } from './errors.ts';

/**
 * Calls back when a signal is aborted, in the next microtask when it is already. Returns a function that lets go of it.
 *
 * One signal may stop a whole fleet: Node's warning at the eleventh listener is turned off for it.
 */
export function listenForAbort(signal: AbortSignal | undefined, onAbort: () => void): () => void {
  if (signal === undefined) return () => {};
  if (signal.aborted) {
    let isWanted = true;
    queueMicrotask(() => {
      if (isWanted) onAbort();
    });
    return () => {
      isWanted = false;
    };
  }
  setMaxListeners(0, signal);
  signal.addEventListener('abort', onAbort, { once: true });
  return () => signal.removeEventListener('abort', onAbort);
}

/**
 * A time limit as callers give it: milliseconds from 0, or `Infinity`. Node's timers would take anything else, `NaN` and
 * `null` included, for one millisecond.
 *
 * @throws {QemuError} QEMU_USAGE for any other value.
 */
export function checkTimeout(timeoutMs: number, name = 'timeoutMs'): number {
  if (typeof timeoutMs === 'number' && timeoutMs >= 0) return timeoutMs;
  throw new QemuError('QEMU_USAGE', `${name} must be a number of milliseconds from 0, not ${describe(timeoutMs)}`);
}

function describe(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : String(value);
}

/** What a timer of Node takes, 24.8 days: past it, it would go off at once. */
export const MOST_TIMER_MS = 2 ** 31 - 1;

/**
 * A timer for a deadline in milliseconds; none for `Infinity`. To be cleared with `clearTimeout`.
 *
 * @throws {QemuError} QEMU_USAGE as {@link checkTimeout}.
 */
export function startDeadline(timeoutMs: number, onTimeout: () => void): NodeJS.Timeout | undefined {
  return Number.isFinite(checkTimeout(timeoutMs))
    ? setTimeout(onTimeout, Math.min(timeoutMs, MOST_TIMER_MS))
    : undefined;
}

/** One time limit for several waits in turn: what is left of it at each call, in milliseconds, never less than one. */
export function countDown(limitMs: number): () => number {
  const deadline = performance.now() + limitMs;
  return () => Math.max(1, deadline - performance.now());
}

/**
 * Waits that long.
 *
 * @throws {QemuError} `QEMU_ABORTED` as soon as the signal is aborted.
 */
export async function delay(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch {
    throw abortError(signal);
  }
}

/**
 * Waits for a promise.
 *
 * @throws {QemuError} `QEMU_ABORTED` as soon as the signal is aborted; the promise goes on by itself.
 */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  if (signal.aborted) throw abortError(signal);
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(abortError(signal));
  });
  signal.addEventListener('abort', stop);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** The error of a call that its AbortSignal ended. */
export function abortError(signal: AbortSignal | undefined): QemuError {
  return new QemuError('QEMU_ABORTED', 'Interrupted', { cause: signal?.reason });
}

/** How long to wait. */
export interface EndOptions {
  /** Milliseconds; default: 30 s; `Infinity` for no limit. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export const DEFAULT_END_MS = 30_000;

/**
 * Whether a promise settles in time.
 *
 * @throws {QemuError} `QEMU_ABORTED`; `QEMU_USAGE` for a bad time limit; and what the promise is rejected with.
 */
export async function endsWithin(promise: Promise<unknown>, options: EndOptions): Promise<boolean> {
  const { timeoutMs = DEFAULT_END_MS, signal } = options;
  const late = new AbortController();
  const timer = startDeadline(timeoutMs, () => late.abort());
  try {
    await untilAborted(promise, signal ? AbortSignal.any([signal, late.signal]) : late.signal);
    return true;
  } catch (error) {
    if (late.signal.aborted && signal?.aborted !== true) return false;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
