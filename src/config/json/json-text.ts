/** A JSON value with the line that it starts on. */
export type JsonNode = { readonly line: number } & (
  | { readonly kind: 'object'; readonly members: readonly JsonMember[] }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null' }
);

export interface JsonMember {
  readonly name: string;
  /** Line of the name. */
  readonly line: number;
  readonly value: JsonNode;
}

export interface JsonProblem {
  readonly line: number;
  readonly problem: string;
}

/** Deeper nesting is refused; ours is four deep. */
const DEEPEST = 32;

/** Parses JSON (RFC 8259) and keeps the lines, which `JSON.parse` does not. A byte order mark is skipped. */
export function parseJson(text: string): JsonNode | JsonProblem {
  return new JsonScanner(text).scan();
}

/** Thrown and caught in this file only. */
class Stop extends Error {}

class JsonScanner {
  readonly #text: string;
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  scan(): JsonNode | JsonProblem {
    if (this.#text.startsWith('\uFEFF')) this.#at = 1;
    try {
      const node = this.#value(0);
      this.#skipBlank();
      if (this.#at < this.#text.length) this.#fail('Text follows the end of the JSON value');
      return node;
    } catch (error) {
      if (error instanceof Stop) return { line: this.#line, problem: error.message };
      throw error;
    }
  }

  #value(depth: number): JsonNode {
    if (depth > DEEPEST) this.#fail(`The JSON value is nested more than ${DEEPEST} levels deep`);
    this.#skipBlank();
    const line = this.#line;
    switch (this.#text[this.#at]) {
      case '{':
        return { kind: 'object', line, members: this.#list('}', () => this.#member(depth)) };
      case '[':
        return { kind: 'array', line, items: this.#list(']', () => this.#value(depth + 1)) };
      case '"':
        return { kind: 'string', line, value: this.#string() };
      default:
        return this.#word(line);
    }
  }

  #list<T>(close: string, item: () => T): T[] {
    const items: T[] = [];
    this.#at += 1;
    this.#skipBlank();
    if (this.#take(close)) return items;
    for (;;) {
      items.push(item());
      this.#skipBlank();
      if (this.#take(close)) return items;
      if (!this.#take(',')) this.#fail(`A "," or "${close}" is expected`);
    }
  }

  #member(depth: number): JsonMember {
    this.#skipBlank();
    const line = this.#line;
    if (this.#text[this.#at] !== '"') this.#fail('A member name in double quotes is expected');
    const name = this.#string();
    this.#skipBlank();
    if (!this.#take(':')) this.#fail('A ":" is expected');
    return { name, line, value: this.#value(depth + 1) };
  }

  #string(): string {
    const token = this.#match(/"(?:[^"\\\n]|\\.)*"/y);
    if (token === undefined) return this.#fail('A string is not closed on its line');
    try {
      return String(JSON.parse(token));
    } catch {
      return this.#fail('A string has a character or escape that JSON does not allow');
    }
  }

  #word(line: number): JsonNode {
    const number = this.#match(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])/y);
    if (number !== undefined) return { kind: 'number', line, value: Number(number) };
    const word = this.#match(/(?:true|false|null)\b/y);
    if (word === 'null') return { kind: 'null', line };
    if (word !== undefined) return { kind: 'boolean', line, value: word === 'true' };
    return this.#fail(this.#at < this.#text.length ? 'A JSON value is expected' : 'The JSON text ends too early');
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const token = pattern.exec(this.#text)?.[0];
    this.#at += token?.length ?? 0;
    return token;
  }

  #skipBlank(): void {
    for (; this.#at < this.#text.length; this.#at++) {
      const character = this.#text[this.#at];
      if (character === '\n') this.#line += 1;
      else if (character !== ' ' && character !== '\t' && character !== '\r') return;
    }
  }

  #fail(problem: string): never {
    throw new Stop(problem);
  }
}
