import { QemuError } from '../../base/errors.ts';
import { parseJson } from '../../qmp/json.ts';

export interface QmpRequest {
  readonly command: string;
  readonly args: Readonly<Record<string, unknown>> | undefined;
}

/**
 * A QMP command as given on a command line: its name with `key=value` words, or one JSON object as on the wire.
 *
 * A value is taken as JSON when it is a number, `true`, `false`, `null`, an array, an object or a string in quotes,
 * else as text. `a.b=1` puts b into the object a.
 *
 * @throws {QemuError} `QEMU_USAGE`
 */
export function parseQmpRequest(text: string, words: readonly string[]): QmpRequest {
  if (!text.trimStart().startsWith('{')) {
    const args: Record<string, unknown> = {};
    for (const word of words) assign(args, word);
    return { command: text, args: words.length === 0 ? undefined : args };
  }
  const value = parseCommand(text);
  if (!isObject(value) || typeof value['execute'] !== 'string') {
    throw new QemuError('QEMU_USAGE', 'The JSON text has no "execute"', {
      hint: 'for instance: {"execute": "query-status"}',
    });
  }
  const { execute, arguments: given, ...rest } = value;
  const unknown = Object.keys(rest).filter((key) => key !== 'id');
  if (unknown.length > 0) throw new QemuError('QEMU_USAGE', `Unknown member "${unknown[0]}" next to "execute"`);
  if (given !== undefined && !isObject(given)) throw new QemuError('QEMU_USAGE', '"arguments" is not an object');
  const args: Record<string, unknown> = { ...given };
  for (const word of words) assign(args, word);
  return { command: execute, args: Object.keys(args).length === 0 ? undefined : args };
}

/** Whether a word of the command line is `key=value`. */
export function isAssignment(word: string): boolean {
  return /^[A-Za-z_][\w.-]*=/.test(word);
}

function assign(args: Record<string, unknown>, word: string): void {
  const at = word.indexOf('=');
  const path = word.slice(0, at).split('.');
  const last = path.pop() ?? '';
  let place = args;
  for (const key of path) {
    const next = Object.hasOwn(place, key) ? place[key] : {};
    if (!isObject(next)) throw new QemuError('QEMU_USAGE', `"${word}": "${key}" has a value already`);
    put(place, key, next);
    place = next;
  }
  if (Object.hasOwn(place, last)) throw new QemuError('QEMU_USAGE', `"${word}": "${last}" has a value already`);
  put(place, last, readValue(word.slice(at + 1)));
}

/** An assignment would take `__proto__` for more than a name. */
function put(place: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(place, key, { value, writable: true, enumerable: true, configurable: true });
}

function readValue(text: string): unknown {
  if (!/^(-?\d|true$|false$|null$|[[{"])/.test(text)) return text;
  try {
    return parseJson(text);
  } catch {
    // Text such as 10G or 1a:2b begins like a number, but is not one.
    if (/^[[{"]/.test(text)) throw new QemuError('QEMU_USAGE', `"${text}" is not valid JSON`);
    return text;
  }
}

function parseCommand(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new QemuError('QEMU_USAGE', 'The QMP command is not valid JSON', { cause: error });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
