import { createInterface } from 'node:readline';
import { abortError } from '../../base/abort.ts';

/** A line of standard input with its number, from 1, among all lines. */
export interface NumberedLine {
  readonly text: string;
  readonly number: number;
}

/**
 * The lines of standard input, trimmed, without those that are empty or comments.
 *
 * @throws {QemuError} `QEMU_ABORTED` when the signal comes.
 */
export async function* readNumberedLines(signal?: AbortSignal): AsyncGenerator<NumberedLine> {
  let number = 0;
  for await (const line of createInterface({ input: process.stdin, ...(signal && { signal }) })) {
    number += 1;
    const text = line.trim();
    if (text !== '' && !text.startsWith('#')) yield { text, number };
  }
  if (signal?.aborted) throw abortError(signal);
}

/** The same without their numbers. */
export async function* readLines(signal?: AbortSignal): AsyncGenerator<string> {
  for await (const { text } of readNumberedLines(signal)) yield text;
}
