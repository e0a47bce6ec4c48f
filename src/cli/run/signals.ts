import { setMaxListeners } from 'node:events';
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface SignalWatch {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** 128 + the number of the received signal; undefined when there was none. */
  readonly exitCode: () => number | undefined;
  readonly dispose: () => void;
}

/**
 * Turns SIGINT, SIGTERM and SIGHUP into an abort, so that what was begun is undone. A second one ends the process
 * as usual.
 */
export function abortOnSignals(): SignalWatch {
  const controller = new AbortController();
  // One signal for all machines of a command.
  setMaxListeners(0, controller.signal);
  let received: (typeof SIGNALS)[number] | undefined;
  const onSignal = (name: (typeof SIGNALS)[number]): void => {
    if (received !== undefined) {
      dispose();
      process.kill(process.pid, name);
      return;
    }
    received = name;
    controller.abort();
  };
  const dispose = (): void => {
    for (const name of SIGNALS) process.removeListener(name, onSignal);
  };
  // `on`, not `once`: the lock package counts the listeners when the signal arrives, and without one ends the process.
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    signal: controller.signal,
    exitCode: () => (received === undefined ? undefined : 128 + constants.signals[received]),
    dispose,
  };
}
