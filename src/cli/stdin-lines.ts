import { createInterface } from 'node:readline';

/** The lines of stdin without those that are empty or comments. */
export async function* readLines(signal?: AbortSignal): AsyncGenerator<string> {
  for await (const line of createInterface({ input: process.stdin, ...(signal && { signal }) })) {
    const text = line.trim();
    if (text !== '' && !text.startsWith('#')) yield text;
  }
}
