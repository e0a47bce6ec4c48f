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
  try {
    return (await terminal.question(question, { signal: over })).trim();
  } catch {
    if (over.aborted) throw new QemuError('QEMU_ABORTED', 'Interrupted');
    return '';
  } finally {
    terminal.close();
  }
}
