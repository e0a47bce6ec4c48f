import { connect } from 'node:net';

export interface Question {
  readonly request: Buffer;
  /** Whether a line of the peer's is the answer waited for. */
  readonly isAnswer: (line: string) => boolean;
  /** Sent after the answer, before hanging up. */
  readonly followUp: Buffer;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** An answer that was asked for is shorter; a peer that never ends its line must not fill the memory. */
const MOST_LINE_BYTES = 64 * 1024;

/**
 * Sends a request to a unix socket, waits for a line that answers it, sends one more thing and hangs up.
 *
 * @returns whether the answer came. False for a missing socket, a silent peer, a hang-up and an abort.
 */
export function askLine(path: string, question: Question): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    let text = '';
    const finish = (answered: boolean): void => {
      clearTimeout(timer);
      question.signal?.removeEventListener('abort', giveUp);
      if (answered) socket.end(question.followUp);
      else socket.destroy();
      resolve(answered);
    };
    const giveUp = (): void => finish(false);
    const timer = setTimeout(giveUp, question.timeoutMs);
    question.signal?.addEventListener('abort', giveUp, { once: true });
    socket.on('error', giveUp);
    socket.on('close', giveUp);
    socket.on('connect', () => socket.write(question.request));
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      if (lines.some(question.isAnswer)) finish(true);
      else if (text.length > MOST_LINE_BYTES) giveUp();
    });
  });
}
