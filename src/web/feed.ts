import { delay } from '../base/abort.ts';
import { QemuError } from '../base/errors.ts';
import type { MachineManager } from '../fleet/machine-manager.ts';
import type { MachineRef } from '../machine/context.ts';
import { ProcessScan } from '../machine/run/locate.ts';
import type { MachineSample } from '../metrics/sample.ts';
import { sampleMachine } from '../metrics/sampler.ts';
import { interfaceNames } from '../network/sysfs.ts';
import { type MachineDetail, readDetail } from './machine-detail.ts';
import { type MachineView, viewOf } from './machine-view.ts';
import type { Task } from './tasks.ts';

/** What a page is sent: all of it each second, and tasks as they get on. */
export interface FeedDocument {
  readonly machines?: readonly MachineView[];
  readonly tasks: readonly Task[];
  /** Of the machine that the page asked for. */
  readonly detail?: MachineDetail | undefined;
  /** Why the machines cannot be listed. */
  readonly problem?: string | undefined;
}

/** Interval between two samples. */
const INTERVAL_MS = 1000;
/** A machine that does not answer until then is shown as it was: others must not wait for it. */
const PATIENCE_MS = 400;
/** Snapshots and backups change seldom, but other commands make them, too. */
const DETAIL_MS = 15_000;
/** Progress may be reported more often than anybody can see. */
const TELL_MS = 100;

interface Subscriber {
  readonly listener: (document: FeedDocument) => void;
  /** The machine that it wants details of. */
  readonly name: string | undefined;
}

interface Known {
  readonly sample: MachineSample;
  readonly view: MachineView;
}

/** Samples for all pages that are open; there are none while no page is. */
export class Feed {
  readonly #fleet: () => MachineManager;
  readonly #tasks: () => readonly Task[];
  readonly #subscribers = new Set<Subscriber>();
  readonly #known = new Map<string, Known>();
  readonly #asked = new Set<string>();
  readonly #details = new Map<string, { readonly detail: MachineDetail; readonly atMs: number }>();
  #machines: readonly MachineView[] | undefined;
  #problem: string | undefined;
  #running = false;
  #isToTell = false;

  /**
   * @param fleet the fleet as its files are now.
   * @param tasks what goes on.
   */
  constructor(fleet: () => MachineManager, tasks: () => readonly Task[]) {
    this.#fleet = fleet;
    this.#tasks = tasks;
  }

  /**
   * Calls back with each new document until the returned function is called.
   *
   * @param name a machine whose details are wanted as well.
   */
  subscribe(name: string | undefined, listener: (document: FeedDocument) => void): () => void {
    const subscriber = { listener, name };
    this.#subscribers.add(subscriber);
    if (this.#machines) listener({ machines: this.#machines, tasks: this.#tasks(), problem: this.#problem });
    if (!this.#running) void this.#run();
    else if (name !== undefined) void this.#readDetail(name, true);
    return () => void this.#subscribers.delete(subscriber);
  }

  /** Sends tasks soon. @param ended a machine for which one has ended: its details are read again. */
  tellTasks(ended?: string): void {
    if (ended !== undefined) void this.#readDetail(ended, true);
    if (this.#isToTell) return;
    this.#isToTell = true;
    setTimeout(() => {
      this.#isToTell = false;
      const document = { tasks: this.#tasks() };
      for (const { listener } of this.#subscribers) listener(document);
    }, TELL_MS);
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      while (this.#subscribers.size > 0) {
        const began = performance.now();
        try {
          await this.#round();
        } catch (error) {
          // Such as a registry that cannot be read for a moment. What was known stays on the page.
          this.#problem = error instanceof QemuError ? error.message : 'The machines cannot be listed';
          for (const { listener } of this.#subscribers) listener({ tasks: this.#tasks(), problem: this.#problem });
        }
        await delay(Math.max(100, INTERVAL_MS - (performance.now() - began)));
      }
    } finally {
      this.#running = false;
      this.#machines = undefined;
      this.#known.clear();
      this.#details.clear();
    }
  }

  async #round(): Promise<void> {
    const fleet = this.#fleet();
    const targets = fleet.listWithRunning();
    const names = new Set(targets.map(({ longName }) => longName));
    for (const name of [...this.#known.keys()]) if (!names.has(name)) this.#known.delete(name);
    const scan = new ProcessScan();
    const interfaces = interfaceNames();
    // One that is still being asked is not asked twice.
    const free = targets.filter(({ longName }) => !this.#asked.has(longName));
    const all = Promise.all(free.map((target) => this.#sample(fleet, target, scan, interfaces)));
    await Promise.race([all, delay(this.#machines === undefined ? 2 * INTERVAL_MS : PATIENCE_MS)]);
    this.#machines = targets.flatMap(({ longName }) => this.#known.get(longName)?.view ?? []);
    this.#problem = undefined;
    for (const { listener, name } of this.#subscribers) {
      const detail = name === undefined ? undefined : this.#details.get(name)?.detail;
      listener({ machines: this.#machines, tasks: this.#tasks(), detail });
    }
    for (const name of this.#wanted()) void this.#readDetail(name, false);
  }

  async #sample(
    fleet: MachineManager,
    target: MachineRef,
    scan: ProcessScan,
    interfaces: readonly string[],
  ): Promise<void> {
    const { longName } = target;
    this.#asked.add(longName);
    try {
      const sample = await sampleMachine(fleet, target, scan, interfaces);
      this.#known.set(longName, { sample, view: viewOf(target, sample, this.#known.get(longName)?.sample) });
    } catch {
      // A machine whose files cannot be read is left as it was.
    } finally {
      this.#asked.delete(longName);
    }
  }

  #wanted(): ReadonlySet<string> {
    return new Set([...this.#subscribers].flatMap(({ name }) => name ?? []));
  }

  async #readDetail(name: string, isChanged: boolean): Promise<void> {
    if (!this.#wanted().has(name)) return;
    const last = this.#details.get(name);
    if (!isChanged && last !== undefined && performance.now() - last.atMs < DETAIL_MS) return;
    const detail = await readDetail(this.#fleet(), name);
    this.#details.set(name, { detail, atMs: performance.now() });
    for (const subscriber of this.#subscribers) {
      if (subscriber.name === name) subscriber.listener({ tasks: this.#tasks(), detail });
    }
  }
}
