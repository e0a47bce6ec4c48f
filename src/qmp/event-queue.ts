import { type EndOptions, endsWithin } from '../base/abort.ts';
import { QemuError } from '../base/errors.ts';
import type { QmpEvent } from './event.ts';
import type { EventSubscription } from './event-subscription.ts';

/** Most events that are kept until they are taken; then the oldest are dropped. */
const MOST_EVENTS = 1_000;

/** Events in the order in which they came, to be taken with and without waiting. */
export class EventQueue {
  readonly #events: QmpEvent[] = [];
  readonly #waiting = new Set<() => void>();
  #isOver = false;
  #dropped = 0;

  constructor(subscription: EventSubscription) {
    void this.#fill(subscription);
  }

  /** How many were dropped because they were not taken. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The oldest event, which is in the queue no longer. */
  take(): QmpEvent | undefined {
    return this.#events.shift();
  }

  /** All events. */
  takeAll(): QmpEvent[] {
    return this.#events.splice(0);
  }

  /**
   * Waits until there is an event to take, which another caller may then take first.
   *
   * @returns whether one came in time.
   * @throws {QemuError} `QEMU_QMP_CLOSED` when there will be none any more, `QEMU_ABORTED`.
   */
  async arrival(options: EndOptions): Promise<boolean> {
    if (this.#events.length > 0) return true;
    if (this.#isOver) throw endedError();
    let wake = (): void => {};
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    this.#waiting.add(wake);
    try {
      if (!(await endsWithin(woken, options))) return false;
    } finally {
      this.#waiting.delete(wake);
    }
    if (this.#events.length === 0 && this.#isOver) throw endedError();
    return true;
  }

  async #fill(subscription: EventSubscription): Promise<void> {
    for await (const event of subscription) {
      this.#events.push(event);
      if (this.#events.length > MOST_EVENTS) {
        this.#events.shift();
        this.#dropped++;
      }
      this.#wake();
    }
    this.#isOver = true;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

function endedError(): QemuError {
  return new QemuError('QEMU_QMP_CLOSED', 'Connection ended before an event came');
}
