import { createInterface } from 'node:readline/promises';
import { QemuError } from '../../base/errors.ts';

/**
 * Asks on the terminal; Ctrl-D is an empty answer.
 *
 * @throws {QemuError} `QEMU_ABORTED` on Ctrl-C, and when the signal says so.
 */
export async function ask(question: string, signal: AbortSignal): Promise<string> {
  // Questions are no results: stdout stays clean for the outcome.
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const interrupt = new AbortController();
  // In raw mode Ctrl-C is no signal.
  terminal.once('SIGINT', () => interrupt.abort());
  const over = AbortSignal.any([signal, interrupt.signal]);
  let isAnswered = false;
  // Node.js before 20.20 leaves a question for ever that is open when its input ends.
  const ended = new Promise<string>((resolve) => {
    terminal.once('close', () => resolve(''));
  });
  try {
    const answered = terminal.question(question, { signal: over }).then((text) => {
      isAnswered = true;
      return text;
    });
    return (await Promise.race([answered, ended])).trim();
  } catch {
    if (over.aborted) throw new QemuError('QEMU_ABORTED', 'Interrupted');
    return '';
  } finally {
    // What is said next is not to be on the line of the question; Enter has ended that itself.
    if (!isAnswered) process.stderr.write('\n');
    terminal.close();
  }
}
