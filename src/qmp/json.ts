import { QemuError } from '../base/errors.ts';

/** QEMU's parser gives up at 1,024 levels of nesting. */
const MAX_DEPTH = 1000;
/** More than the longest answers of QEMU have by far: `query-qmp-schema` has 30,000. */
const MAX_VALUES = 1_000_000;

/**
 * Reads JSON without changing an integer: one that a number cannot hold exactly becomes a `bigint`. All others stay
 * numbers. (QEMU sends 64-bit integers: `device-list-properties` of `virtio-rng-pci` has 9223372036854775807.)
 *
 * @throws {SyntaxError} when the text is not JSON, or has more values or levels than any answer of QEMU: what a megabyte of
 * brackets comes to takes a hundred megabytes, and overflows the stack of whoever walks through it.
 */
export function parseJson(text: string): unknown {
  // A text that is shorter cannot have as many levels.
  if (text.length > 2 * MAX_DEPTH) checkShape(text);
  const value: unknown = JSON.parse(text);
  // `JSON.parse` shows no source text on Node 20, hence the second pass.
  if (!hasLongNumber(text)) return value;
  const marked = markInexactIntegers(text);
  return marked === undefined ? value : JSON.parse(marked, unmark);
}

/**
 * Writes a value as compact JSON. Members that are `undefined` are left out; a `bigint` becomes its digits.
 *
 * @throws {QemuError} QEMU_USAGE for what JSON or QEMU's parser cannot carry: NaN, infinities, lone surrogates, `undefined`
 * in a list, functions, symbols, class instances, more than 1,000 levels.
 */
export function encodeJson(value: unknown): string {
  return encodeValue(value, 0);
}

/** Any integer of fewer digits is exact. */
const EXACT_DIGITS = 15;

/** Whether more digits follow one another than are always exact. Looks at one character in sixteen: this runs for every event. */
function hasLongNumber(text: string): boolean {
  for (let at = EXACT_DIGITS; at < text.length; at += EXACT_DIGITS + 1) {
    if (!isDigit(text.charCodeAt(at))) continue;
    let first = at;
    while (isDigit(text.charCodeAt(first - 1))) first -= 1;
    let end = at + 1;
    while (isDigit(text.charCodeAt(end))) end += 1;
    if (end - first > EXACT_DIGITS) return true;
  }
  return false;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

// In the marked text each string value begins with STRING and each integer that a number cannot hold is a string that
// begins with INTEGER, so that no string of the peer can be taken for a number.
const STRING = 's';
const INTEGER = 'n';

/** Counts levels and values without making any. The text may be anything. */
function checkShape(text: string): void {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case 0x22:
        at = endOfString(text, at) - 1;
        break;
      case 0x5b:
      case 0x7b:
        depth += 1;
        values += 1;
        break;
      case 0x5d:
      case 0x7d:
        depth -= 1;
        break;
      case 0x2c:
        values += 1;
        break;
      default:
    }
    if (depth > MAX_DEPTH) throw new SyntaxError(`It has more than ${MAX_DEPTH} levels`);
    if (values > MAX_VALUES) throw new SyntaxError(`It has more than ${MAX_VALUES} values`);
  }
}

/** The text with marks, or undefined when every integer is exact. The text is valid JSON. */
function markInexactIntegers(text: string): string | undefined {
  const parts: string[] = [];
  let found = false;
  let copied = 0;
  for (let at = 0; at < text.length; ) {
    const char = text.charCodeAt(at);
    if (char === 0x22) {
      const end = endOfString(text, at);
      if (!isKey(text, end)) {
        parts.push(text.slice(copied, at + 1), STRING);
        copied = at + 1;
      }
      at = end;
    } else if (char === 0x2d || isDigit(char)) {
      const end = endOfNumber(text, at);
      const token = text.slice(at, end);
      if (isInexact(token)) {
        found = true;
        parts.push(text.slice(copied, at), `"${INTEGER}${token}"`);
        copied = end;
      }
      at = end;
    } else {
      at += 1;
    }
  }
  if (!found) return undefined;
  parts.push(text.slice(copied));
  return parts.join('');
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === 0x5c) at += 1;
    else if (char === 0x22) return at + 1;
  }
  return text.length;
}

function isKey(text: string, end: number): boolean {
  let at = end;
  while (' \t\r\n'.includes(text.charAt(at)) && at < text.length) at += 1;
  return text.charAt(at) === ':';
}

function endOfNumber(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && '0123456789+-.eE'.includes(text.charAt(at))) at += 1;
  return at;
}

function isInexact(token: string): boolean {
  return token.length >= 16 && /^-?\d+$/.test(token) && BigInt(Number(token)) !== BigInt(token);
}

function unmark(_key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return value.startsWith(INTEGER) ? BigInt(value.slice(1)) : value.slice(1);
}

function encodeValue(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return encodeString(value);
    case 'number':
      // Past 2^53 `String` rounds to the shortest digits that mean the same number, which QEMU would take for another one.
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) return String(BigInt(value));
      if (Number.isFinite(value)) return String(value);
      throw unsendable(String(value));
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'object':
      if (value === null) return 'null';
      if (depth >= MAX_DEPTH) throw unsendable(`a value nested more than ${MAX_DEPTH} levels deep`);
      return Array.isArray(value) ? encodeList(value, depth + 1) : encodeObject(value, depth + 1);
    default:
      throw unsendable(`a value of type "${typeof value}"`);
  }
}

function encodeString(text: string): string {
  // QEMU answers a lone surrogate with a parse error that names no command.
  if (/\p{Surrogate}/u.test(text)) throw unsendable('a string with a lone surrogate');
  return JSON.stringify(text);
}

function encodeList(list: readonly unknown[], depth: number): string {
  return `[${Array.from(list, (item) => encodeValue(item, depth)).join(',')}]`;
}

function encodeObject(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) {
    throw unsendable(`an instance of "${value.constructor.name}"`);
  }
  const members: string[] = [];
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) members.push(`${encodeString(key)}:${encodeValue(member, depth)}`);
  }
  return `{${members.join(',')}}`;
}

function unsendable(what: string): QemuError {
  return new QemuError('QEMU_USAGE', `Cannot send ${what} over QMP`);
}
