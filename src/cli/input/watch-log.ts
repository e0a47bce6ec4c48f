import { delay } from '../../base/abort.ts';
import type { LogFollower } from '../../system/files/log/follow-log.ts';
import type { SessionEnd } from './terminal.ts';

/** Ctrl-], as in a session that types too, and Ctrl-C, which no guest gets here. */
const LEAVE = [0x1d, 0x03];
const PAUSE_MS = 100;

/**
 * Prints what is added to a log, as it is, until the user leaves, what writes to it ends, or the signal comes. What is
 * typed goes nowhere and is not shown; the terminal's settings are restored afterwards.
 */
export async function watchLog(log: LogFollower, isAlive: () => boolean, signal: AbortSignal): Promise<SessionEnd> {
  const { stdin } = process;
  const left = new AbortController();
  const over = AbortSignal.any([signal, left.signal]);
  const take = (typed: Buffer): void => {
    if (typed.some((byte) => LEAVE.includes(byte))) left.abort();
  };
  const gone = (): void => left.abort();
  if (stdin.isTTY) {
    stdin.setRawMode(true);
    stdin.on('data', take).on('error', gone).resume();
  }
  try {
    for (;;) {
      // Looked at first: what it wrote before its end still counts.
      const alive = isAlive();
      const piece = log.next();
      if (over.aborted) return signal.aborted ? 'aborted' : 'left';
      if (piece.length > 0) await written(piece, over);
      else if (alive) await delay(PAUSE_MS, over).catch(() => {});
      else return 'closed';
    }
  } finally {
    if (stdin.isTTY) {
      stdin.off('data', take).off('error', gone).setRawMode(false);
      stdin.pause();
    }
  }
}

/** Waits for a slow terminal, so that nothing piles up here. */
function written(piece: Buffer, over: AbortSignal): Promise<void> {
  if (process.stdout.write(piece)) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      process.stdout.off('drain', done);
      over.removeEventListener('abort', done);
      resolve();
    };
    process.stdout.on('drain', done);
    over.addEventListener('abort', done, { once: true });
  });
}
