import { QemuError } from './errors.ts';

/** How far a long piece of work is. */
export interface Progress {
  /** What is being done, in lower case: `copying DSK1`. */
  readonly phase: string;
  /** Bytes done. */
  readonly done: number;
  /** Bytes in all, which may grow; 0: not known yet. */
  readonly total: number;
  /** Bytes a second, as measured by who does the work; undefined: not known. */
  readonly bytesPerSecond?: number | undefined;
}

/** Receives how far the work is, as often as that is known. */
export type OnProgress = (progress: Progress) => void;

/** What methods for long work take. */
export interface LongWorkOptions {
  /** Cancels the work: what it made until then is undone before the call fails with `QEMU_ABORTED`. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/**
 * Long work as an async iterator of its progress, whose return value is the result. To leave the loop cancels the work
 * and waits for its end. Of several steps since the last look only the newest is seen.
 *
 * @throws what the work throws.
 */
export async function* progressOf<T>(
  work: (options: { readonly signal: AbortSignal; readonly onProgress: OnProgress }) => Promise<T>,
  signal?: AbortSignal,
): AsyncGenerator<Progress, T, undefined> {
  const left = new AbortController();
  let newest: Progress | undefined;
  let wake = (): void => {};
  let isOver = false;
  const result = work({
    signal: signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]),
    onProgress: (progress) => {
      newest = progress;
      wake();
    },
  }).finally(() => {
    isOver = true;
    wake();
  });
  // It is awaited below; until then a failure must not count as one that nobody handles.
  result.catch(() => {});
  try {
    for (;;) {
      if (newest !== undefined) {
        const shown: Progress = newest;
        newest = undefined;
        yield shown;
      } else if (isOver) {
        return await result;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    if (!isOver) {
      left.abort(new QemuError('QEMU_ABORTED', 'Nobody waits for it any longer'));
      await result.catch(() => {});
    }
  }
}

/** Time over which a rate is measured. */
const WINDOW_MS = 10_000;

/** Measures the rate of growing numbers over the last ten seconds. */
export class RateMeter {
  readonly #seen: { readonly atMs: number; readonly done: number }[] = [];

  /**
   * Bytes a second; undefined until a second look, and when the number has not grown.
   *
   * @param atMs a monotonic clock, in milliseconds.
   */
  measure(done: number, atMs = performance.now()): number | undefined {
    const last = this.#seen.at(-1);
    // Another piece of work begins again at 0.
    if (last !== undefined && done < last.done) this.#seen.length = 0;
    this.#seen.push({ atMs, done });
    while (this.#seen.length > 2 && atMs - (this.#seen[0]?.atMs ?? 0) > WINDOW_MS) this.#seen.shift();
    const first = this.#seen[0];
    if (first === undefined || atMs <= first.atMs || done <= first.done) return undefined;
    return ((done - first.done) * 1000) / (atMs - first.atMs);
  }
}
