import type { ExecuteOptions } from '../qmp/command.ts';
import type { EventFilter } from '../qmp/event.ts';
import type { SubscribeOptions } from '../qmp/event-hub.ts';
import type { EventSubscription } from '../qmp/event-subscription.ts';

/** What the parts of a domain need from it: a way to send commands to its QEMU and to receive its events. */
export interface Monitor {
  /** Sends any command. */
  run(command: string, args?: Readonly<Record<string, unknown>>, options?: ExecuteOptions): Promise<unknown>;
  /** Whether this QEMU has the command. */
  supported(command: string, options?: ExecuteOptions): Promise<boolean>;
  /** Events from now on. */
  events(filter?: EventFilter, options?: SubscribeOptions): EventSubscription;
}
