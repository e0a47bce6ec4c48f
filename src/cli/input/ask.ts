import { createInterface } from 'node:readline/promises';
import { QemuError } from '../../base/errors.ts';

/**
 * Asks on the terminal; Ctrl-D is an empty answer.
 *
 * @throws {QemuError} `QEMU_ABORTED` on Ctrl-C, and when the signal comes.
 */
export async function ask(question: string, signal: AbortSignal): Promise<string> {
  return (await askOrEnd(question, signal)) ?? '';
}

/**
 * Asks on the terminal.
 *
 * @returns undefined at the end of the input: on Ctrl-D, or when the terminal is gone.
 * @throws {QemuError} `QEMU_ABORTED` on Ctrl-C, and when the signal comes.
 */
export async function askOrEnd(question: string, signal: AbortSignal): Promise<string | undefined> {
  // Questions go to stderr: stdout is for results.
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const interrupt = new AbortController();
  // In raw mode Ctrl-C does not send a signal.
  terminal.once('SIGINT', () => interrupt.abort());
  const over = AbortSignal.any([signal, interrupt.signal]);
  let isAnswered = false;
  // Before 20.20 Node.js never ends a question whose input ends.
  const ended = new Promise<undefined>((resolve) => {
    terminal.once('close', () => resolve(undefined));
  });
  try {
    const answered = terminal.question(question, { signal: over }).then((text) => {
      isAnswered = true;
      return text;
    });
    return (await Promise.race([answered, ended]))?.trim();
  } catch {
    if (over.aborted) throw new QemuError('QEMU_ABORTED', 'Interrupted');
    return undefined;
  } finally {
    // Later output must not continue the line of the question; Enter has ended that already.
    if (!isAnswered) process.stderr.write('\n');
    terminal.close();
  }
}
