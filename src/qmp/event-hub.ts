import { checkTimeout, listenForAbort, startDeadline } from '../base/abort.ts';
import { QemuError } from '../base/errors.ts';
import { checkWholeNumber } from '../base/guards.ts';
import { BoundedQueue } from './bounded-queue.ts';
import { abortedError } from './command.ts';
import { type EventFilter, type EventMatch, makeEvent, matchesEvent, passesFilter, type QmpEvent } from './event.ts';
import { EventSubscription } from './event-subscription.ts';
import type { WireEvent } from './message.ts';
import type { QmpEnd } from './state.ts';

/** Events kept for {@link WaitOptions.since}, and the default length of a listener's queue. */
const KEPT_EVENTS = 1000;
const DEFAULT_WAIT_MS = 60_000;

/** Settings of one listener. */
export interface SubscribeOptions {
  /** Most events that wait to be read (default: 1000); then the oldest are dropped and counted. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What waiting for one event may take. */
export interface WaitOptions {
  /** Looks first at the events after this value of {@link QmpClient.eventCount}; default: only at new ones. */
  readonly since?: number | undefined;
  /** Milliseconds; default: 60 s; `Infinity` for no limit. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Hands each event of a client to its listeners and keeps the last ones. */
export class EventHub {
  readonly #subscriptions = new Set<EventSubscription>();
  readonly #history = new BoundedQueue<QmpEvent>(KEPT_EVENTS);
  #count = 0;
  #end: QmpEnd | undefined;

  /** Events so far. */
  get count(): number {
    return this.#count;
  }

  /** A new connection begins: its events must not be taken for those of the last one. */
  begin(): void {
    this.#history.clear();
    this.#end = undefined;
  }

  publish(wire: WireEvent): void {
    this.#count += 1;
    const event = makeEvent(wire, this.#count);
    this.#history.push(event);
    for (const subscription of this.#subscriptions) subscription.offer(event);
  }

  /** The connection is over, and with it every listener. */
  finish(end: QmpEnd): void {
    this.#end = end;
    for (const subscription of this.#subscriptions) subscription.finish(end);
  }

  subscribe(filter: EventFilter | undefined, { limit = KEPT_EVENTS, signal }: SubscribeOptions): EventSubscription {
    checkWholeNumber(limit, 'limit', 1);
    const onAbort = (): void => subscription.fail(abortedError('Listening for events was aborted', signal));
    const subscription = new EventSubscription({
      limit,
      accepts: (event) => passesFilter(event, filter),
      onDone: () => {
        this.#subscriptions.delete(subscription);
        ignoreSignal();
      },
    });
    this.#subscriptions.add(subscription);
    const ignoreSignal = listenForAbort(signal, onAbort);
    // Nothing comes any more on a connection that has ended: its listener would wait for ever.
    if (this.#end !== undefined) subscription.finish(this.#end);
    return subscription;
  }

  async wait(filter: EventFilter, match: EventMatch | undefined, options: WaitOptions): Promise<QmpEvent> {
    const { since, timeoutMs = DEFAULT_WAIT_MS, signal } = options;
    if (since !== undefined) checkWholeNumber(since, 'since', 0);
    checkTimeout(timeoutMs);
    const isWanted = (event: QmpEvent): boolean => passesFilter(event, filter) && matchesEvent(event, match);
    const known = since === undefined ? undefined : this.#lookBack(since, isWanted);
    if (known !== undefined) return known;
    const what = typeof filter === 'function' ? 'an event' : `"${[filter].flat().join('" or "')}"`;
    if (this.#end !== undefined) throw endedError(what, this.#end);
    const subscription = this.subscribe(isWanted, { limit: 1, signal });
    const timer = startDeadline(timeoutMs, () => subscription.fail(waitTimeoutError(what, timeoutMs)));
    try {
      const result = await subscription.next();
      if (result.done !== true) return result.value;
      throw endedError(what, subscription.end);
    } finally {
      clearTimeout(timer);
      subscription.close();
    }
  }

  #lookBack(since: number, isWanted: (event: QmpEvent) => boolean): QmpEvent | undefined {
    let oldest = this.#count + 1;
    for (const event of this.#history) {
      oldest = Math.min(oldest, event.sequence);
      if (event.sequence > since && isWanted(event)) return event;
    }
    const lost = oldest - since - 1;
    if (lost <= 0) return undefined;
    throw new QemuError(
      'QEMU_QMP_STATE',
      `Cannot look back at event ${since + 1}: ${lost} events are not kept any more`,
    );
  }
}

function endedError(what: string, end: QmpEnd | undefined): QemuError {
  return new QemuError('QEMU_QMP_CLOSED', `Connection ended before ${what} came`, { cause: end?.error });
}

function waitTimeoutError(what: string, timeoutMs: number): QemuError {
  return new QemuError('QEMU_TIMEOUT', `No event ${what} within ${Math.round(timeoutMs)} ms`);
}
