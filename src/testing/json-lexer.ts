/** One token of QEMU's JSON reader. The text is bytes, one a character (latin1). */
export interface JsonToken {
  readonly kind: 'punctuation' | 'string' | 'number' | 'keyword' | 'stray';
  readonly text: string;
}

type State =
  | 'start'
  | 'recovery'
  | 'keyword'
  | '"'
  | "'"
  | '"\\'
  | "'\\"
  | '-'
  | '0'
  | 'digits'
  | '.'
  | 'fraction'
  | 'e'
  | 'e-'
  | 'exponent';

/** Numbers: what may follow in each state, and the state that it leads to. */
const NUMBER_STEPS: Readonly<Partial<Record<State, readonly (readonly [RegExp, State])[]>>> = {
  '-': [
    [/0/, '0'],
    [/[1-9]/, 'digits'],
  ],
  '0': [
    [/\./, '.'],
    [/[eE]/, 'e'],
  ],
  digits: [
    [/\d/, 'digits'],
    [/\./, '.'],
    [/[eE]/, 'e'],
  ],
  '.': [[/\d/, 'fraction']],
  fraction: [
    [/\d/, 'fraction'],
    [/[eE]/, 'e'],
  ],
  e: [
    [/[+-]/, 'e-'],
    [/\d/, 'exponent'],
  ],
  'e-': [[/\d/, 'exponent']],
  exponent: [[/\d/, 'exponent']],
};

/** States in which a number is complete, so that any other character ends it. */
const COMPLETE: readonly State[] = ['0', 'digits', 'fraction', 'exponent'];

/**
 * Cuts the input of a monitor into tokens, as qobject/json-lexer.c of QEMU 7.2 does: line ends mean nothing, but within a
 * string they are stray, and so are other control bytes; after a stray byte all is skipped up to one that gives structure.
 */
export class JsonLexer {
  readonly #onToken: (token: JsonToken) => void;
  #state: State = 'start';
  #text = '';

  constructor(onToken: (token: JsonToken) => void) {
    this.#onToken = onToken;
  }

  /** Takes the next bytes, one a character. */
  push(bytes: string): void {
    for (const byte of bytes) this.#take(byte);
  }

  #take(byte: string): void {
    // Never part of JSON or UTF-8: a client sends them to get rid of half a message.
    if (byte >= '\xfe') this.#stray(byte);
    else if (this.#state === 'start') this.#begin(byte);
    else if (this.#state === 'recovery') this.#recover(byte);
    else if (this.#state === 'keyword') this.#inKeyword(byte);
    else if (NUMBER_STEPS[this.#state] !== undefined) this.#inNumber(byte);
    else this.#inString(byte);
  }

  #begin(byte: string): void {
    if (' \t\r\n'.includes(byte)) return;
    this.#text = byte;
    if ('{}[],:'.includes(byte)) this.#finish('punctuation');
    else if (byte === '"' || byte === "'") this.#state = byte;
    else if (byte === '-') this.#state = '-';
    else if (byte === '0') this.#state = '0';
    else if (/[1-9]/.test(byte)) this.#state = 'digits';
    else if (/[a-z]/.test(byte)) this.#state = 'keyword';
    else {
      this.#text = '';
      this.#stray(byte);
    }
  }

  #recover(byte: string): void {
    const givesStructure = '{}[],:'.includes(byte) || ' \t\r\n'.includes(byte);
    if (!givesStructure && byte >= ' ') return;
    this.#state = 'start';
    this.#begin(byte);
  }

  #inKeyword(byte: string): void {
    if (/[a-z]/.test(byte)) this.#text += byte;
    else this.#finishBefore('keyword', byte);
  }

  #inNumber(byte: string): void {
    const step = NUMBER_STEPS[this.#state]?.find(([pattern]) => pattern.test(byte));
    if (step !== undefined) {
      this.#text += byte;
      this.#state = step[1];
    } else if (COMPLETE.includes(this.#state) && !(this.#state === '0' && /\d/.test(byte))) {
      this.#finishBefore('number', byte);
    } else {
      this.#stray(byte);
    }
  }

  #inString(byte: string): void {
    if (byte < ' ') {
      this.#stray(byte);
      return;
    }
    this.#text += byte;
    const quote = this.#state.startsWith('"') ? '"' : "'";
    if (this.#state.length === 2) this.#state = quote;
    else if (byte === '\\') this.#state = `${quote}\\`;
    else if (byte === quote) this.#finish('string');
  }

  #finish(kind: JsonToken['kind']): void {
    const text = this.#text;
    this.#text = '';
    this.#state = 'start';
    this.#onToken({ kind, text });
  }

  #finishBefore(kind: JsonToken['kind'], byte: string): void {
    this.#finish(kind);
    this.#take(byte);
  }

  #stray(byte: string): void {
    this.#text += byte;
    this.#finish('stray');
    this.#state = 'recovery';
  }
}
