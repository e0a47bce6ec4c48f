import type { Duplex } from 'node:stream';

/** Ctrl-], as telnet has it. */
const LEAVE = 0x1d;

/**
 * Joins this process's terminal, or pipe, to a stream until the peer hangs up, the user types Ctrl-] or the signal
 * comes. The terminal is as it was afterwards, whatever happens.
 *
 * @returns why it ended.
 */
export async function attach(stream: Duplex, signal: AbortSignal): Promise<'left' | 'closed' | 'aborted'> {
  const { stdin, stdout } = process;
  const isTerminal = stdin.isTTY === true;
  return new Promise((resolve) => {
    const finish = (why: 'left' | 'closed' | 'aborted'): void => {
      stdin.removeListener('data', onInput);
      stdin.removeListener('end', onEnd);
      signal.removeEventListener('abort', onAbort);
      if (isTerminal) stdin.setRawMode(false);
      stdin.pause();
      stream.destroy();
      resolve(why);
    };
    const onAbort = (): void => finish('aborted');
    const onInput = (data: Buffer): void => {
      const at = isTerminal ? data.indexOf(LEAVE) : -1;
      stream.write(at < 0 ? data : data.subarray(0, at));
      if (at >= 0) finish('left');
    };
    // A pipe that is empty: what the peer still has to say is waited for.
    const onEnd = (): void => {
      stream.end();
    };
    stream.on('data', (data: Buffer) => stdout.write(data));
    stream.on('end', () => finish('closed'));
    stream.on('close', () => finish('closed'));
    stream.on('error', () => finish('closed'));
    signal.addEventListener('abort', onAbort, { once: true });
    if (isTerminal) stdin.setRawMode(true);
    stdin.on('data', onInput);
    stdin.on('end', onEnd);
    stdin.resume();
  });
}
