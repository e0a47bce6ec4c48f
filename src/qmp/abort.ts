import { setMaxListeners } from 'node:events';

/**
 * Calls back when a signal is aborted, at once when it is already. Returns a function that lets go of the signal.
 *
 * One signal may stop a whole fleet: Node's warning at the eleventh listener is turned off for it.
 */
export function listenForAbort(signal: AbortSignal | undefined, onAbort: () => void): () => void {
  if (signal === undefined) return () => {};
  if (signal.aborted) {
    onAbort();
    return () => {};
  }
  setMaxListeners(0, signal);
  signal.addEventListener('abort', onAbort, { once: true });
  return () => signal.removeEventListener('abort', onAbort);
}
