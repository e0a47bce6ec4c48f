import { BoundedQueue } from './bounded-queue.ts';
import type { QmpEvent } from './event.ts';
import type { QmpEnd } from './state.ts';

/** What a subscription needs from its owner. */
interface SubscriptionSetup {
  readonly limit: number;
  readonly accepts: (event: QmpEvent) => boolean;
  /** Called once, when no more events are wanted. */
  readonly onDone: () => void;
}

/**
 * The events of one listener, from the moment it was made. Iterate over it with `for await`; leaving the loop ends it.
 * It has its own queue: a slow listener delays no other, and loses its oldest events when the queue is full.
 *
 * @example
 * import { Fleet } from 'qemu-init';
 *
 * const fleet = Fleet.open();
 * const { client } = await fleet.domain(fleet.get('web'));
 * try {
 *   const events = client.events(['STOP', 'RESUME']);
 *   await client.execute('stop');
 *   await client.execute('cont');
 *   for await (const { event } of events) {
 *     console.log(event);
 *     if (event === 'RESUME') break;
 *   }
 * } finally {
 *   await client.close();
 * }
 */
export class EventSubscription<E extends QmpEvent<string, object> = QmpEvent>
  implements AsyncIterableIterator<E, undefined>, Disposable
{
  readonly #setup: SubscriptionSetup;
  readonly #queue: BoundedQueue<E>;
  readonly #readers: { resolve: (result: IteratorResult<E, undefined>) => void; reject: (error: unknown) => void }[] =
    [];
  #dropped = 0;
  #isDone = false;
  #end: QmpEnd | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(setup: SubscriptionSetup) {
    this.#setup = setup;
    this.#queue = new BoundedQueue(setup.limit);
  }

  /** Events that were lost because the queue was full. */
  get dropped(): number {
    return this.#dropped;
  }

  /** How the connection ended, once it has; iteration ends without an error then. */
  get end(): QmpEnd | undefined {
    return this.#end;
  }

  /**
   * The next event; waits for it. `done` when the connection has ended or {@link close} was called. Rejects with what
   * the listener's filter threw, and with QEMU_ABORTED when its signal was aborted.
   */
  next(): Promise<IteratorResult<E, undefined>> {
    const event = this.#queue.shift();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    if (this.#failure !== undefined) {
      const { error } = this.#failure;
      this.#failure = undefined;
      return Promise.reject(error);
    }
    if (this.#isDone) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject });
    });
  }

  /** Called by `for await` when its loop is left. The same as {@link close}. */
  async return(): Promise<IteratorResult<E, undefined>> {
    this.close();
    return { done: true, value: undefined };
  }

  /** Wants no more events and forgets those not read. May be called again. */
  close(): void {
    this.#queue.clear();
    this.#finish();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Takes an event in, when the filter wants it. @internal */
  offer(event: QmpEvent): void {
    if (this.#isDone || !this.#accepts(event)) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) reader.resolve({ done: false, value: event as E });
    else if (this.#queue.push(event as E)) this.#dropped += 1;
  }

  /** The connection is over: what is queued can still be read. @internal */
  finish(end: QmpEnd): void {
    if (this.#isDone) return;
    this.#end = end;
    this.#finish();
  }

  /** Ends the iteration with an error, after what is queued. @internal */
  fail(error: unknown): void {
    if (this.#isDone) return;
    const reader = this.#readers.shift();
    if (reader === undefined) this.#failure = { error };
    else reader.reject(error);
    this.#finish();
  }

  #accepts(event: QmpEvent): boolean {
    try {
      return this.#setup.accepts(event);
    } catch (error) {
      // One listener's bug must not reach the other listeners or the answers in the same chunk.
      this.fail(error);
      return false;
    }
  }

  #finish(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    for (const reader of this.#readers.splice(0)) reader.resolve({ done: true, value: undefined });
    this.#setup.onDone();
  }
}
