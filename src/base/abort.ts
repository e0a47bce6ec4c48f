import { setMaxListeners } from 'node:events';
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
const MOST_TIMER_MS = 2 ** 31 - 1;

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
