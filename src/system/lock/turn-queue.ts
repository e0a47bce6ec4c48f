/** A place in a queue. */
export interface Turn {
  /** Settles when all who came before have left. */
  readonly come: Promise<void>;
  /** Lets the next one in; also to be called by one who did not wait for its turn. */
  readonly leave: () => void;
}

const lastInQueue = new Map<string, Promise<void>>();

/** Queues up for a name within this process, first come, first served. */
export function queueUp(name: string): Turn {
  const come = lastInQueue.get(name) ?? Promise.resolve();
  let leave = (): void => {};
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const next = come.then(() => left);
  lastInQueue.set(name, next);
  void next.then(() => {
    if (lastInQueue.get(name) === next) lastInQueue.delete(name);
  });
  return { come, leave };
}
