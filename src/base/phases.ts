import type { OnProgress, Progress } from './progress.ts';

/** Between two reports of a phase that lasts. */
const TICK_MS = 500;

/** Begins the next phase of the work. */
export type BeginPhase = (
  /** In lower case: `reverting DSK1`. */
  phase: string,
  /** How far it is, looked at again and again; left out: that cannot be known. */
  look?: () => Pick<Progress, 'done' | 'total'>,
) => void;

/**
 * Does work in phases that report nothing themselves, such as one command that is answered at its end: each phase is
 * reported again and again while it lasts, so that whoever waits sees that it goes on.
 *
 * @throws what `work` throws.
 */
export async function inPhases<T>(
  onProgress: OnProgress | undefined,
  work: (begin: BeginPhase) => Promise<T>,
  tickMs = TICK_MS,
): Promise<T> {
  let report = (): void => {};
  const ticks = setInterval(() => report(), tickMs);
  try {
    return await work((phase, look = () => ({ done: 0, total: 0 })) => {
      report = () => onProgress?.({ phase, ...look() });
      report();
    });
  } finally {
    clearInterval(ticks);
  }
}
