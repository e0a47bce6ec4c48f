import type { QmpEvent } from '../../qmp/event.ts';
import type { EventSubscription } from '../../qmp/event-subscription.ts';

/** Most events that are kept for somebody who does not take them; then the oldest go. */
const MOST_EVENTS = 1_000;

/** Events in the order in which they came, to be taken without waiting. */
export class EventQueue {
  readonly #events: QmpEvent[] = [];

  constructor(subscription: EventSubscription) {
    void this.#fill(subscription);
  }

  take(): QmpEvent | undefined {
    return this.#events.shift();
  }

  takeAll(): QmpEvent[] {
    return this.#events.splice(0);
  }

  async #fill(subscription: EventSubscription): Promise<void> {
    for await (const event of subscription) {
      this.#events.push(event);
      if (this.#events.length > MOST_EVENTS) this.#events.shift();
    }
  }
}
