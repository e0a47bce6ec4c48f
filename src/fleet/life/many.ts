import { setMaxListeners } from 'node:events';

/** How many machines at a time. */
export interface ManyOptions {
  /** How many at a time (default: for starts the number of processors, for stops all of a boot order). */
  readonly parallel?: number | undefined;
}

/** The signal in a form that any number of machines may listen to. */
export function sharedSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (!signal) return undefined;
  const shared = AbortSignal.any([signal]);
  setMaxListeners(0, shared);
  return shared;
}
