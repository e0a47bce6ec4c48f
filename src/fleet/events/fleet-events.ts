import { delay } from '../../base/abort.ts';
import { messageOf } from '../../base/text.ts';
import type { MachineRef } from '../../machine/context.ts';
import { openFirst } from '../../machine/control/first-way.ts';
import { controlPorts } from '../../machine/control/ways.ts';
import { readLastRun } from '../../machine/run/last-run.ts';
import { type Located, locate } from '../../machine/run/locate.ts';
import type { MachineManager } from '../machine-manager.ts';
import { EventBuffer } from './event-buffer.ts';
import type { FleetEvent } from './fleet-event.ts';

/** Interval between looks for machines that come and go. */
const LOOK_MS = 1000;
const CONNECT_MS = 5000;
/** Events of qemu-init itself: a captured QEMU that sends one of that name is not heard. */
const OWN_EVENTS: readonly string[] = ['STARTED', 'STOPPED', 'LOST'];

/**
 * Events of all machines in one stream, with their starts and stops. Machines may come and go meanwhile. Each running
 * machine's control port is taken on one loopback address, so that the other one and its own socket are free for others;
 * without IPv6, and while another program has the port, there are only its starts and stops.
 *
 * @param targets the machines, asked for at each look.
 */
export async function* fleetEvents(
  fleet: MachineManager,
  targets: () => readonly MachineRef[],
  signal: AbortSignal,
): AsyncGenerator<FleetEvent, void, undefined> {
  const watch = new Watch(fleet, targets, signal);
  const done = watch.run();
  try {
    yield* watch.events();
  } finally {
    watch.end();
    await done;
  }
}

class Watch {
  readonly #fleet: MachineManager;
  readonly #targets: () => readonly MachineRef[];
  readonly #controller = new AbortController();
  readonly #waiting = new EventBuffer();
  /** Process of each machine that ran at the last look. */
  readonly #running = new Map<string, string>();
  readonly #followers = new Set<string>();
  #wake: (() => void) | undefined;
  #isFirst = true;

  constructor(fleet: MachineManager, targets: () => readonly MachineRef[], signal: AbortSignal) {
    this.#fleet = fleet;
    this.#targets = targets;
    if (signal.aborted) this.end();
    else signal.addEventListener('abort', () => this.end(), { once: true });
  }

  end(): void {
    this.#controller.abort();
    this.#wake?.();
  }

  async *events(): AsyncGenerator<FleetEvent, void, undefined> {
    const { signal } = this.#controller;
    for (;;) {
      const next = this.#waiting.shift();
      if (next) yield next;
      else if (signal.aborted) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
      const count = this.#waiting.takeLost();
      if (count > 0) yield this.#own('', 'LOST', { count });
    }
  }

  async run(): Promise<void> {
    const { signal } = this.#controller;
    while (!signal.aborted) {
      for (const target of this.#targets()) this.#look(target);
      this.#isFirst = false;
      await delay(LOOK_MS, signal).catch(() => {});
    }
  }

  #look(target: MachineRef): void {
    const { longName } = target;
    const located = locate(target.files);
    const before = this.#running.get(longName);
    const now = located.kind === 'alive' ? `${located.process.pid} ${located.process.startTime}` : undefined;
    if (before !== undefined && before !== now) this.#push(this.#own(longName, 'STOPPED', this.#endOf(target)));
    if (now === undefined) this.#running.delete(longName);
    else this.#running.set(longName, now);
    if (located.kind !== 'alive') return;
    // Those that run already have not started now.
    if (now !== before && !this.#isFirst) this.#push(this.#own(longName, 'STARTED', { pid: located.process.pid }));
    if (!this.#followers.has(longName)) void this.#follow(target, located);
  }

  #endOf(target: MachineRef): Readonly<Record<string, unknown>> {
    const end = readLastRun(this.#fleet.host.paths, target.longName);
    return end === undefined ? {} : { cause: end.cause, at: end.at };
  }

  async #follow(target: MachineRef, { record }: Extract<Located, { kind: 'alive' }>): Promise<void> {
    const { longName, files } = target;
    const { signal } = this.#controller;
    // The second address is the one that other programs do not try first.
    const ways = record ? controlPorts(files, record).toReversed() : [];
    if (ways.length === 0) return;
    this.#followers.add(longName);
    try {
      const { value: client } = await openFirst(`machine "${longName}"`, ways, { timeoutMs: CONNECT_MS, signal });
      const events = client.events(undefined, { signal });
      try {
        for await (const { event, data, timestamp } of events) {
          if (OWN_EVENTS.includes(event)) continue;
          const time = new Date(timestamp.seconds * 1000 + timestamp.microseconds / 1000).toISOString();
          this.#push({ time, machine: longName, event, data });
        }
      } finally {
        await client.close();
      }
    } catch (error) {
      const message = `its events are not seen: ${messageOf(error)}`;
      if (!signal.aborted) this.#fleet.host.notify({ level: 'debug', machine: longName, message });
    } finally {
      this.#followers.delete(longName);
    }
  }

  #own(machine: string, event: string, data: Readonly<Record<string, unknown>>): FleetEvent {
    return { time: new Date().toISOString(), machine, event, data };
  }

  #push(event: FleetEvent): void {
    this.#waiting.push(event);
    this.#wake?.();
  }
}
