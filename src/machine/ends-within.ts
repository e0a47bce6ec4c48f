import { startDeadline } from '../base/abort.ts';
import { untilAborted } from '../system/delay.ts';

/** How long to wait. */
export interface EndOptions {
  /** Milliseconds; 30 s if not given; `Infinity` for no limit. */
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
