import { QemuError } from '../base/errors.ts';
import { asRecord, isRecord } from '../base/guards.ts';
import { encodeJson, parseJson } from './json.ts';

/** The version that QEMU greets with. Parts that a peer leaves out are 0 or empty. */
export interface QmpVersion {
  readonly major: number;
  readonly minor: number;
  readonly micro: number;
  /** The distributor's text, such as `Debian 1:7.2+dfsg-7+deb12u18+b3`, or empty. */
  readonly package: string;
}

/** The first message of a QMP server. */
export interface QmpGreeting {
  readonly version: QmpVersion;
  /** Offered capabilities; `oob` is the only one so far. */
  readonly capabilities: readonly string[];
}

/** An event as it came off the wire. */
export interface WireEvent {
  readonly kind: 'event';
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly timestamp: { readonly seconds: number; readonly microseconds: number };
}

/** One message of a QMP server, sorted by what it is for. */
export type QmpMessage =
  | { readonly kind: 'greeting'; readonly greeting: QmpGreeting }
  | WireEvent
  | { readonly kind: 'return'; readonly id: number | undefined; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number | undefined; readonly errorClass: string; readonly desc: string }
  /** An object that is none of these; `id` when it names one. */
  | { readonly kind: 'unclear'; readonly id: number | undefined; readonly why: string };

/** Stands for an id that is not one of ours: ours are 1, 2, 3, … */
export const FOREIGN_ID = -1;

/**
 * Reads one line of a QMP server. The only place that looks at untyped wire data.
 *
 * @throws {QemuError} QEMU_QMP_PROTOCOL when the line is not JSON, or JSON but not an object.
 */
export function decodeMessage(line: string): QmpMessage {
  const raw = parseObject(line);
  // An object with `event` is an event whatever else it has (QMP specification, "Asynchronous events").
  if (typeof raw['event'] === 'string') return decodeEvent(raw['event'], raw);
  if ('QMP' in raw) return decodeGreeting(raw['QMP']);
  return decodeReply(raw);
}

/**
 * The line that asks for a command, with its line feed: compact, because QEMU reads its input one byte per system call.
 *
 * @throws {QemuError} QEMU_USAGE when the arguments hold a value that JSON cannot carry.
 */
export function encodeCommand(command: string, args: object | undefined, id: number, outOfBand = false): string {
  return withId(encodeCall(command, args, outOfBand), id);
}

/** The same but for the id, which {@link withId} adds. */
export function encodeCall(command: string, args: object | undefined, outOfBand: boolean): string {
  const verb = outOfBand ? 'exec-oob' : 'execute';
  const body = args === undefined ? '{}' : encodeJson(args);
  const argumentsPart = body === '{}' ? '' : `,"arguments":${body}`;
  return `{"${verb}":${encodeJson(command)}${argumentsPart}`;
}

/** Completes what {@link encodeCall} has begun. */
export function withId(call: string, id: number): string {
  return `${call},"id":${id}}\n`;
}

function parseObject(line: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = parseJson(line);
  } catch (cause) {
    throw new QemuError('QEMU_QMP_PROTOCOL', `Peer sent a line that is not JSON: ${excerpt(line)}`, { cause });
  }
  if (isRecord(value)) return value;
  throw new QemuError('QEMU_QMP_PROTOCOL', `Peer sent JSON that is not an object: ${excerpt(line)}`);
}

function decodeEvent(event: string, raw: Readonly<Record<string, unknown>>): WireEvent {
  const { data, timestamp } = raw;
  return {
    kind: 'event',
    event,
    data: isRecord(data) ? data : {},
    timestamp: isRecord(timestamp) && isTimestamp(timestamp) ? timestamp : timestampOf(timestamp),
  };
}

function isTimestamp(value: Readonly<Record<string, unknown>>): value is WireEvent['timestamp'] & typeof value {
  return typeof value['seconds'] === 'number' && typeof value['microseconds'] === 'number';
}

function timestampOf(value: unknown): WireEvent['timestamp'] {
  const { seconds, microseconds } = asRecord(value);
  // -1 is what QEMU itself sends when the host has no clock to read (QMP specification).
  return { seconds: numberOr(seconds, -1), microseconds: numberOr(microseconds, -1) };
}

function decodeGreeting(body: unknown): QmpMessage {
  if (!isRecord(body) || !isRecord(body['version']) || !Array.isArray(body['capabilities'])) {
    return { kind: 'unclear', id: undefined, why: 'its greeting lacks "version" or "capabilities"' };
  }
  const numbers = isRecord(body['version']['qemu']) ? body['version']['qemu'] : {};
  const packageText = body['version']['package'];
  return {
    kind: 'greeting',
    greeting: {
      version: {
        major: numberOr(numbers['major'], 0),
        minor: numberOr(numbers['minor'], 0),
        micro: numberOr(numbers['micro'], 0),
        package: typeof packageText === 'string' ? packageText : '',
      },
      capabilities: body['capabilities'].filter((name) => typeof name === 'string'),
    },
  };
}

function decodeReply(raw: Readonly<Record<string, unknown>>): QmpMessage {
  const id = 'id' in raw ? numberOr(raw['id'], FOREIGN_ID) : undefined;
  if ('return' in raw === 'error' in raw) {
    const why = 'return' in raw ? 'it has both "return" and "error"' : 'it has neither "return" nor "error"';
    return { kind: 'unclear', id, why };
  }
  if ('return' in raw) return { kind: 'return', id, value: raw['return'] };
  const error = raw['error'];
  if (isRecord(error) && typeof error['class'] === 'string' && typeof error['desc'] === 'string') {
    return { kind: 'error', id, errorClass: error['class'], desc: error['desc'] };
  }
  return { kind: 'unclear', id, why: 'its error lacks "class" or "desc"' };
}

function numberOr(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}

function excerpt(line: string): string {
  const shown = line.length > 60 ? `${line.slice(0, 60)}…` : line;
  return JSON.stringify(shown);
}
