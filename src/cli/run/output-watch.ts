import { setMaxListeners } from 'node:events';
import { errorCode } from '../../base/errors.ts';

/** Whether what the tool prints still arrives. */
export interface OutputWatch {
  /** Aborted when the reader of the result is gone. */
  readonly signal: AbortSignal;
  /** Waits until all of the result is written. Returns why it was not, unless only its reader is gone. */
  readonly settle: () => Promise<unknown>;
}

/**
 * Continues when output is lost, which would otherwise end the process in the middle of a stop: a reader such as `head`
 * may leave early, and a disk may be full.
 */
export function watchOutput(): OutputWatch {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  let failure: unknown;
  process.stdout.on('error', (error) => {
    if (errorCode(error) !== 'EPIPE') failure ??= error;
    controller.abort();
  });
  process.stderr.on('error', () => {});
  return {
    signal: controller.signal,
    settle: async () => {
      if (!controller.signal.aborted) await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
      return failure;
    },
  };
}

/** Leaves a working folder that was removed, where neither Node nor the argument parser can work. */
export function leaveRemovedFolder(): void {
  try {
    process.cwd();
  } catch {
    process.chdir('/');
  }
}
