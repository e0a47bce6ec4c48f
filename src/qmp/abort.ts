import { setMaxListeners } from 'node:events';

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

/** What a timer of Node takes, 24.8 days: past it, it would go off at once. */
const MOST_TIMER_MS = 2 ** 31 - 1;

/** A timer for a deadline in milliseconds; none for `Infinity`. To be cleared with `clearTimeout`. */
export function startDeadline(timeoutMs: number, onTimeout: () => void): NodeJS.Timeout | undefined {
  return Number.isFinite(timeoutMs) ? setTimeout(onTimeout, Math.min(timeoutMs, MOST_TIMER_MS)) : undefined;
}
