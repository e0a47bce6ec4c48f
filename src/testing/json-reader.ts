import { JsonLexer, type JsonToken } from './json-lexer.ts';
import { type JsonInput, parseTokens } from './json-parser.ts';

/** MAX_NESTING of qobject/json-streamer.c. */
const MAX_NESTING = 1024;

/**
 * Reads the values that are sent to a monitor, and finds the faults that QEMU 7.2 finds, in its words. A value ends where
 * its brackets balance, not at a line feed.
 */
export class JsonReader {
  readonly #onInput: (input: JsonInput) => void;
  readonly #lexer = new JsonLexer((token) => this.#take(token));
  #tokens: JsonToken[] = [];
  #braces = 0;
  #brackets = 0;

  constructor(onInput: (input: JsonInput) => void) {
    this.#onInput = onInput;
  }

  /** Takes the next bytes. */
  push(chunk: Buffer): void {
    this.#lexer.push(chunk.toString('latin1'));
  }

  #take(token: JsonToken): void {
    if (token.kind === 'stray') {
      this.#finish({ kind: 'error', desc: `JSON parse error, stray '${replaceForeign(token.text)}'` });
      return;
    }
    if (token.kind === 'punctuation') this.#count(token.text);
    this.#tokens.push(token);
    if (this.#braces + this.#brackets > MAX_NESTING) {
      this.#finish({ kind: 'error', desc: 'JSON nesting depth limit exceeded' });
      return;
    }
    const isOpen = this.#braces > 0 || this.#brackets > 0;
    if (isOpen && this.#braces >= 0 && this.#brackets >= 0) return;
    this.#finish(parseTokens(this.#tokens));
  }

  #count(text: string): void {
    if (text === '{') this.#braces += 1;
    else if (text === '}') this.#braces -= 1;
    else if (text === '[') this.#brackets += 1;
    else if (text === ']') this.#brackets -= 1;
  }

  #finish(input: JsonInput): void {
    this.#tokens = [];
    this.#braces = 0;
    this.#brackets = 0;
    this.#onInput(input);
  }
}

/** What is not UTF-8, such as one byte of a longer sequence, QEMU prints as U+FFFD. */
function replaceForeign(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
