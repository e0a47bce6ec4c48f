import { LineSplitter } from '../line-splitter.ts';

/** Never a byte of UTF-8: it precedes the answer to `guest-sync-delimited`, and resets the agent's parser. */
export const DELIMITER = 0xff;

const LINE_FEED = 0x0a;

/** Who takes what an agent sends. */
export interface AgentLineHandlers {
  readonly onLine: (line: string) => void;
  /** A line was longer than allowed. What follows is thrown away up to the next delimiter. */
  readonly onTooLong: (error: unknown) => void;
}

/**
 * The lines of a guest agent. While it seeks the delimiter, it throws away what comes without keeping any of it: the answers
 * to an earlier client, of any size, come first.
 */
export class AgentLines {
  readonly #maxBytes: number;
  readonly #handlers: AgentLineHandlers;
  #splitter: LineSplitter | undefined;

  constructor(maxBytes: number, handlers: AgentLineHandlers) {
    this.#maxBytes = maxBytes;
    this.#handlers = handlers;
  }

  /** Throws away all up to the next delimiter. */
  seek(): void {
    this.#splitter = undefined;
  }

  push(chunk: Buffer): void {
    for (let rest = chunk; rest.length > 0; ) {
      const feed = rest.indexOf(LINE_FEED);
      const end = feed < 0 ? rest.length : feed + 1;
      this.#take(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  }

  /** Takes one line, or a part of it. */
  #take(part: Buffer): void {
    const mark = part.lastIndexOf(DELIMITER);
    if (mark >= 0) this.#splitter = new LineSplitter(this.#maxBytes, this.#handlers.onLine);
    try {
      this.#splitter?.push(part.subarray(mark + 1));
    } catch (error) {
      this.seek();
      this.#handlers.onTooLong(error);
    }
  }
}
