import { QemuError } from '../errors.ts';
import type { QmpEvent } from '../qmp/event.ts';
import type { EventSubscription } from '../qmp/event-subscription.ts';

/** Most events that are kept for somebody who does not take them; then the oldest go. */
const MOST_EVENTS = 1_000;

/** Events in the order in which they came, to be taken with and without waiting. */
export class EventQueue {
  readonly #events: QmpEvent[] = [];
  readonly #waiting = new Set<() => void>();
  #isOver = false;

  constructor(subscription: EventSubscription) {
    void this.#fill(subscription);
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
   * Resolves when there is an event to take.
   *
   * @throws {QemuError} `QEMU_QMP_CLOSED` when there will be none any more.
   */
  async arrival(): Promise<void> {
    while (this.#events.length === 0) {
      if (this.#isOver) throw new QemuError('QEMU_QMP_CLOSED', 'Connection ended before an event came');
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
  }

  async #fill(subscription: EventSubscription): Promise<void> {
    for await (const event of subscription) {
      this.#events.push(event);
      if (this.#events.length > MOST_EVENTS) this.#events.shift();
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
