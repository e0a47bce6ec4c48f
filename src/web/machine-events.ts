import { delay } from '../base/abort.ts';
import type { FleetEvent } from '../fleet/events/fleet-event.ts';
import { fleetEvents } from '../fleet/events/fleet-events.ts';
import type { MachineManager } from '../fleet/machine-manager.ts';
import type { MachineRef } from '../machine/context.ts';

const AGAIN_MS = 1000;
/** Events that a page which comes later gets as well. */
const KEPT = 100;

interface Watched {
  readonly listeners: Set<(event: FleetEvent) => void>;
  readonly latest: FleetEvent[];
  readonly end: AbortController;
}

/** Events of the machines that pages watch; all pages share one connection to each, since it serves one client. */
export class MachineEvents {
  readonly #fleet: () => MachineManager;
  readonly #watched = new Map<string, Watched>();

  /** @param fleet the fleet as its files are now. */
  constructor(fleet: () => MachineManager) {
    this.#fleet = fleet;
  }

  /** Calls back with each event of a machine until the returned function is called, first with those of late. */
  subscribe(name: string, listener: (event: FleetEvent) => void): () => void {
    const watched = this.#watched.get(name) ?? this.#watch(name);
    for (const event of watched.latest) listener(event);
    watched.listeners.add(listener);
    return () => {
      watched.listeners.delete(listener);
      if (watched.listeners.size > 0) return;
      watched.end.abort();
      if (this.#watched.get(name) === watched) this.#watched.delete(name);
    };
  }

  #watch(name: string): Watched {
    const watched: Watched = { listeners: new Set(), latest: [], end: new AbortController() };
    this.#watched.set(name, watched);
    void this.#run(name, watched);
    return watched;
  }

  async #run(name: string, { listeners, latest, end }: Watched): Promise<void> {
    const find = (): readonly MachineRef[] => {
      try {
        return [this.#fleet().get(name)];
      } catch {
        // It is not registered any more, or the registry cannot be read for a moment.
        return [];
      }
    };
    while (!end.signal.aborted) {
      try {
        for await (const event of fleetEvents(this.#fleet(), find, end.signal)) {
          latest.push(event);
          if (latest.length > KEPT) latest.shift();
          for (const listener of listeners) listener(event);
        }
      } catch {
        // Such as a folder that cannot be relied on at the moment.
        await delay(AGAIN_MS, end.signal).catch(() => undefined);
      }
    }
  }
}
