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
