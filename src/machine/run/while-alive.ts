import { type ProcessInfo, waitForExit } from '../../system/process/process.ts';

/** Does something with a living machine. Its signal also fires when the machine is gone. */
export async function whileAlive<T>(
  { pid, startTime }: ProcessInfo,
  signal: AbortSignal | undefined,
  body: (alive: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const watch = waitForExit(pid, startTime, Number.POSITIVE_INFINITY, over.signal).then(
    () => over.abort(),
    () => {},
  );
  try {
    return await body(signal ? AbortSignal.any([signal, over.signal]) : over.signal);
  } finally {
    over.abort();
    await watch;
  }
}
