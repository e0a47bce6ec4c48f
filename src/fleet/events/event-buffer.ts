import type { FleetEvent } from './fleet-event.ts';

/** Events of a machine that wait for a slow reader; later ones are counted and left out. */
const MOST_WAITING = 10_000;
/** What their data has in all, in characters; a true event has a few hundred. */
const MOST_CHARACTERS = 4 * 1024 * 1024;

interface Waiting {
  events: number;
  characters: number;
}

/**
 * Events that wait to be read. Each machine has room of its own: a captured QEMU that sends events without end, or huge
 * ones, takes away none of another machine, and not the memory of this process.
 */
export class EventBuffer {
  readonly #waiting: { readonly event: FleetEvent; readonly characters: number }[] = [];
  readonly #machines = new Map<string, Waiting>();
  #lost = 0;

  push(event: FleetEvent): void {
    const characters = JSON.stringify(event).length;
    const waiting = this.#machines.get(event.machine) ?? { events: 0, characters: 0 };
    if (waiting.events >= MOST_WAITING || waiting.characters + characters > MOST_CHARACTERS) {
      this.#lost += 1;
      return;
    }
    waiting.events += 1;
    waiting.characters += characters;
    this.#machines.set(event.machine, waiting);
    this.#waiting.push({ event, characters });
  }

  /** The first of those that wait. */
  shift(): FleetEvent | undefined {
    const next = this.#waiting.shift();
    if (next === undefined) return undefined;
    const { machine } = next.event;
    const waiting = this.#machines.get(machine);
    if (waiting !== undefined) {
      waiting.events -= 1;
      waiting.characters -= next.characters;
      if (waiting.events === 0) this.#machines.delete(machine);
    }
    return next.event;
  }

  /** How many were left out since this was asked last. */
  takeLost(): number {
    const lost = this.#lost;
    this.#lost = 0;
    return lost;
  }
}
