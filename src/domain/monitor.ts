import type { ExecuteOptions } from '../qmp/command.ts';
import type { EventFilter } from '../qmp/event.ts';
import type { SubscribeOptions } from '../qmp/event-hub.ts';
import type { EventSubscription } from '../qmp/event-subscription.ts';

/** What the parts of a domain need of it: a way to ask its QEMU, and to hear from it. */
export interface Monitor {
  /** Sends any command. */
  run(command: string, args?: Readonly<Record<string, unknown>>, options?: ExecuteOptions): Promise<unknown>;
  /** Whether this QEMU has the command. */
  supported(command: string, options?: ExecuteOptions): Promise<boolean>;
  /** Events from now on. */
  events(filter?: EventFilter, options?: SubscribeOptions): EventSubscription;
}
