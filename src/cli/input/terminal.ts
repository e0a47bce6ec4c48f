import type { Duplex } from 'node:stream';

/** Ctrl-], as in telnet. */
const LEAVE = 0x1d;
/** Most bytes typed ahead while the peer accepts nothing; the terminal must still be read for Ctrl-]. */
const TYPED_AHEAD_BYTES = 1024 * 1024;

/** Why a session ended: Ctrl-], the peer hung up, a signal came, or the terminal itself is gone. */
export type SessionEnd = 'left' | 'closed' | 'aborted';

/**
 * Connects this process's terminal, or pipe, to a stream until the peer hangs up, the user types Ctrl-], the terminal
 * goes away or the signal comes. The terminal's settings are always restored afterwards; Node.js does that if this
 * process crashes.
 *
 * Data does not pile up here: while stdout accepts no more, the peer has to wait, and while the peer accepts no more, a
 * pipe has to. Up to 1 MiB typed on a terminal is kept; more is dropped.
 *
 * The size of the terminal is not passed on: QEMU's line editing and a serial line have no use for it.
 */
export async function attach(stream: Duplex, signal: AbortSignal): Promise<SessionEnd> {
  if (signal.aborted) {
    stream.destroy();
    return 'aborted';
  }
  const { stdin, stdout } = process;
  const isTerminal = stdin.isTTY === true;
  return new Promise((resolve) => {
    const listeners = {
      data: (data: Buffer): void => {
        const at = isTerminal ? data.indexOf(LEAVE) : -1;
        const isTaken = send(stream, at < 0 ? data : data.subarray(0, at), isTerminal);
        if (at >= 0) finish('left');
        else if (!isTaken && !isTerminal) stdin.pause();
      },
      // The end of a pipe: wait for the peer's remaining output.
      end: (): void => void stream.end(),
      // The terminal was hung up (EIO): no user is left.
      error: (): void => finish('aborted'),
    };
    const goOn = (): void => void stream.resume();
    const abort = (): void => finish('aborted');
    const finish = (why: SessionEnd): void => {
      for (const [name, listener] of Object.entries(listeners)) stdin.removeListener(name, listener);
      stdout.removeListener('drain', goOn);
      signal.removeEventListener('abort', abort);
      process.removeListener('SIGCONT', makeRawAgain);
      if (isTerminal) stdin.setRawMode(false);
      stdin.pause();
      stream.destroy();
      resolve(why);
    };
    stream.on('data', (data: Buffer) => {
      if (!stdout.write(data)) stream.pause();
    });
    stdout.on('drain', goOn);
    stream.on('drain', () => stdin.resume());
    for (const name of ['end', 'close', 'error']) stream.on(name, () => finish('closed'));
    signal.addEventListener('abort', abort, { once: true });
    if (isTerminal) {
      stdin.setRawMode(true);
      process.on('SIGCONT', makeRawAgain);
    }
    for (const [name, listener] of Object.entries(listeners)) stdin.on(name, listener);
    stdin.resume();
  });
}

/** Whether the peer accepts more. */
function send(stream: Duplex, data: Buffer, isTerminal: boolean): boolean {
  if (isTerminal && stream.writableLength > TYPED_AHEAD_BYTES) return false;
  return stream.write(data);
}

/**
 * A shell gives its own settings to the terminal while one of its jobs is stopped, which Node.js does not notice.
 */
function makeRawAgain(): void {
  process.stdin.setRawMode(false);
  process.stdin.setRawMode(true);
}
