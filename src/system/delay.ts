import { setTimeout as sleep } from 'node:timers/promises';
import { QemuError } from '../base/errors.ts';

/**
 * Waits that long.
 *
 * @throws {QemuError} `QEMU_ABORTED` as soon as the signal says so.
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
 * @throws {QemuError} `QEMU_ABORTED` as soon as the signal says so; the promise goes on by itself.
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
