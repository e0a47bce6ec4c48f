import { isDeepStrictEqual } from 'node:util';
import type { EventMap, QmpEvents } from './commands.ts';
import type { WireEvent } from './message.ts';

/** Something that QEMU reports by itself. */
export interface QmpEvent<Name extends string = string, Data = Readonly<Record<string, unknown>>> {
  readonly event: Name;
  /** Empty when the event carries none. */
  readonly data: Data;
  /** Host time as sent, seconds and microseconds since 1970; -1 when the host does not know it. */
  readonly timestamp: { readonly seconds: number; readonly microseconds: number };
  /** The same as a date with milliseconds; undefined when the host does not know it. */
  readonly time: Date | undefined;
  /** Position among all events of this client, from 1. */
  readonly sequence: number;
}

/** A known event by its name, with the type of its data. */
export type KnownEvent<N extends keyof Events & string, Events extends EventMap<Events> = QmpEvents> = {
  [E in N]: QmpEvent<E, Events[E]>;
}[N];

/** Which events: a name, several names, or a function. */
export type EventFilter = string | readonly string[] | ((event: QmpEvent) => boolean);

/**
 * What the data of an event must hold. Objects match by subset, lists and plain values by equality; a member that is
 * `undefined` asks for nothing.
 */
export type EventMatch = Readonly<Record<string, unknown>> | ((event: QmpEvent) => boolean);

/** The event as the client hands it out. */
export function makeEvent(wire: WireEvent, sequence: number): QmpEvent {
  const { event, data, timestamp } = wire;
  const { seconds, microseconds } = timestamp;
  const isKnownTime = seconds >= 0 && microseconds >= 0;
  return {
    event,
    data,
    timestamp,
    time: isKnownTime ? new Date(seconds * 1000 + Math.floor(microseconds / 1000)) : undefined,
    sequence,
  };
}

/** Whether the filter lets an event through; no filter lets all through. */
export function passesFilter(event: QmpEvent, filter: EventFilter | undefined): boolean {
  if (filter === undefined) return true;
  if (typeof filter === 'function') return filter(event);
  return typeof filter === 'string' ? event.event === filter : filter.includes(event.event);
}

/** Whether an event has what `match` asks for. */
export function matchesEvent(event: QmpEvent, match: EventMatch | undefined): boolean {
  if (match === undefined) return true;
  return typeof match === 'function' ? match(event) : matchesValue(event.data, match);
}

function matchesValue(value: unknown, wanted: unknown): boolean {
  if (wanted === undefined || value === wanted) return true;
  if (typeof value !== 'object' || typeof wanted !== 'object' || value === null || wanted === null) return false;
  if (Array.isArray(value) || Array.isArray(wanted)) return isDeepStrictEqual(value, wanted);
  return Object.entries(wanted).every(([key, part]) => matchesValue(Reflect.get(value, key), part));
}
