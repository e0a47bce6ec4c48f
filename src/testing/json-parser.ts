import type { JsonToken } from './json-lexer.ts';

/** One thing that came in on a monitor: a value, or the sentence that QEMU has for what is none. */
export type JsonInput =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'error'; readonly desc: string };

/** Makes a value of the tokens of one, as qobject/json-parser.c of QEMU 7.2 does. */
export function parseTokens(tokens: readonly JsonToken[]): JsonInput {
  try {
    return { kind: 'value', value: new Parser(tokens).value() };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { kind: 'error', desc: `JSON parse error, ${error.message}` };
  }
}

class Fault extends Error {
  override readonly name = 'Fault';
}

class Parser {
  readonly #tokens: readonly JsonToken[];
  #at = 0;

  constructor(tokens: readonly JsonToken[]) {
    this.#tokens = tokens;
  }

  value(): unknown {
    const { kind, text } = this.#next();
    if (kind === 'string') return parseString(text);
    if (kind === 'number') return parseNumber(text);
    if (kind === 'keyword') return parseKeyword(text);
    if (text === '{') return this.#object();
    if (text === '[') return this.#list();
    throw new Fault('expecting value');
  }

  #object(): object {
    const object: Record<string, unknown> = {};
    if (this.#skip('}')) return object;
    for (;;) {
      const key = this.value();
      if (typeof key !== 'string') throw new Fault('key is not a string in object');
      if (!this.#skip(':')) throw new Fault('missing : in object pair');
      const value = this.value();
      if (Object.hasOwn(object, key)) throw new Fault('duplicate key');
      // An assignment would take "__proto__" for more than a name.
      Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
      if (this.#skip('}')) return object;
      if (!this.#skip(',')) throw new Fault('expected separator in dict');
    }
  }

  #list(): unknown[] {
    const list: unknown[] = [];
    if (this.#skip(']')) return list;
    for (;;) {
      list.push(this.value());
      if (this.#skip(']')) return list;
      if (!this.#skip(',')) throw new Fault('expected separator in list');
    }
  }

  #next(): JsonToken {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new Fault('premature EOI');
    this.#at += 1;
    return token;
  }

  #skip(text: string): boolean {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new Fault('premature EOI');
    const isIt = token.kind === 'punctuation' && token.text === text;
    if (isIt) this.#at += 1;
    return isIt;
  }
}

function parseKeyword(text: string): boolean | null {
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === 'null') return null;
  throw new Fault(`invalid keyword '${text}'`);
}

/** QEMU holds integers from -2^63 to 2^64-1; all else is a double. */
function parseNumber(text: string): number | bigint {
  if (/^-?\d+$/.test(text)) {
    const value = BigInt(text);
    if (value >= -(2n ** 63n) && value < 2n ** 64n) return BigInt(Number(value)) === value ? Number(value) + 0 : value;
  }
  return Number(text) + 0;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** @param bytes with both quotes. */
function parseString(bytes: string): string {
  const text = bytes.slice(1, -1);
  let value = '';
  let plain = '';
  for (let at = 0; at < text.length; at += 1) {
    const byte = text.charAt(at);
    if (byte !== '\\') {
      plain += byte;
      continue;
    }
    value += decodeBytes(plain);
    plain = '';
    const letter = text.charAt(at + 1);
    if (letter === 'u') {
      const found = unicodeEscape(text.slice(at), bytes.slice(at + 1));
      value += found.char;
      at += found.length - 1;
    } else {
      const char = ESCAPES[letter];
      if (char === undefined) throw new Fault('invalid escape sequence in string');
      value += char;
      at += 1;
    }
  }
  return value + decodeBytes(plain);
}

/** @param rest the text from the backslash on, without and with the closing quote, which QEMU's sentence may show. */
function unicodeEscape(rest: string, quoted: string): { char: string; length: number } {
  const pair = /^\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})/.exec(rest);
  const hex = pair === null ? /^\\u([0-9a-fA-F]{4})/.exec(rest)?.[1] : undefined;
  const length = pair === null ? 6 : 12;
  const char =
    pair === null
      ? String.fromCharCode(Number.parseInt(hex ?? 'd800', 16))
      : String.fromCharCode(Number.parseInt(pair[1] ?? '', 16), Number.parseInt(pair[2] ?? '', 16));
  if (isCharacter(char.codePointAt(0) ?? 0)) return { char, length };
  throw new Fault(`${quoted.slice(0, length)} is not a valid Unicode character`);
}

/** Neither a lone surrogate nor one of the noncharacters (Unicode, section 23.7). */
function isCharacter(code: number): boolean {
  if (code >= 0xd800 && code <= 0xdfff) return false;
  return !(code >= 0xfdd0 && code <= 0xfdef) && (code & 0xfffe) !== 0xfffe;
}

function decodeBytes(bytes: string): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(bytes, 'latin1'));
  } catch {
    throw new Fault('invalid UTF-8 sequence in string');
  }
  if (Array.from(text).every((char) => isCharacter(char.codePointAt(0) ?? 0))) return text;
  throw new Fault('invalid UTF-8 sequence in string');
}
