import { QemuError } from '../../base/errors.ts';

/** @throws {QemuError} `QEMU_USAGE` for a number of machines at a time that is not a whole number from 1. */
export function checkParallel(parallel: number | undefined): void {
  if (parallel === undefined || (typeof parallel === 'number' && parallel >= 1)) return;
  throw new QemuError('QEMU_USAGE', `parallel must be a number of machines from 1, not ${String(parallel)}`);
}

/** Runs work, at most `limit` pieces at a time, in the order in which it was given. */
export function limiter(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = Math.max(1, limit);
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}
