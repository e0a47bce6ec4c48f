import type { Readable } from 'node:stream';

/** Most bytes of lines that nobody has taken yet; more than any message. */
const MOST_BYTES = 32 * 1024 * 1024;

/** The lines of a stream, one by one. */
export class LineQueue {
  readonly #lines: string[] = [];
  readonly #ended = new AbortController();
  #rest = '';
  #bytes = 0;
  #wake: (() => void) | undefined;
  #lastAtMs = performance.now();

  constructor(stream: Readable) {
    const end = (): void => {
      this.#ended.abort();
      this.#wake?.();
    };
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      this.#lastAtMs = performance.now();
      this.#bytes += text.length;
      if (this.#bytes > MOST_BYTES) stream.destroy();
      else this.#add(text);
    });
    stream.on('end', end);
    stream.on('close', end);
    stream.on('error', end);
  }

  /** Aborted at the end of the stream. Lines may still be there. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** For how long nothing has come, not even an empty line. */
  get silentMs(): number {
    return performance.now() - this.#lastAtMs;
  }

  /** The next line that is not empty; undefined when there is no more. Only one caller may wait for it. */
  async next(): Promise<string | undefined> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) {
        this.#bytes -= line.length;
        return line;
      }
      if (this.#ended.signal.aborted) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #add(text: string): void {
    // A line without an end is looked at once: all of it again with each piece would take minutes.
    if (!text.includes('\n')) {
      this.#rest += text;
      return;
    }
    const parts = `${this.#rest}${text}`.split('\n');
    this.#rest = parts.pop() ?? '';
    const lines = parts.filter((line) => line.trim() !== '');
    this.#lines.push(...lines);
    this.#bytes = this.#rest.length + this.#lines.reduce((sum, line) => sum + line.length, 0);
    if (lines.length > 0) this.#wake?.();
  }
}
