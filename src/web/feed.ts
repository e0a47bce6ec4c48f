import { delay } from '../base/abort.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { type MachineRates, ratesOf } from '../metrics/rates.ts';
import type { MachineSample } from '../metrics/sample.ts';
import { sampleMachines } from '../metrics/sampler.ts';

/** A machine as the page shows it. */
export interface MachineView {
  readonly name: string;
  readonly shortName: string | undefined;
  readonly state: string;
  readonly saved: boolean;
  readonly os: string | undefined;
  readonly vcpus: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly startSeconds: number | undefined;
  readonly residentBytes: number | undefined;
  readonly rates: MachineRates | undefined;
  readonly jobs: readonly { readonly job: string; readonly type: string; readonly ratio: number }[];
  /** Disks that QEMU reports an error of. */
  readonly failedDisks: readonly string[];
}

/** Gets each sample; undefined when there can be none at the moment. */
type Listener = (views: readonly MachineView[] | undefined) => void;

/** Interval between two samples. */
const INTERVAL_MS = 1000;

/** Samples for all pages that are open; there are none while no page is. */
export class Feed {
  readonly #fleet: () => Fleet;
  readonly #listeners = new Set<Listener>();
  #before = new Map<string, MachineSample>();
  #last: readonly MachineView[] | undefined;
  #running = false;

  /** @param fleet the fleet as its files are now. */
  constructor(fleet: () => Fleet) {
    this.#fleet = fleet;
  }

  /** Calls back with each new sample until the returned function is called. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    if (this.#last) listener(this.#last);
    if (!this.#running) void this.#run();
    return () => void this.#listeners.delete(listener);
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      while (this.#listeners.size > 0) {
        const began = performance.now();
        this.#last = await this.#sample();
        for (const listener of this.#listeners) listener(this.#last);
        await delay(Math.max(100, INTERVAL_MS - (performance.now() - began)));
      }
    } catch {
      // Somebody may be writing the registry right now.
      for (const listener of this.#listeners) listener(undefined);
    } finally {
      this.#running = false;
      this.#last = undefined;
      this.#before = new Map();
    }
  }

  async #sample(): Promise<MachineView[]> {
    const fleet = this.#fleet();
    const samples = await sampleMachines(fleet, fleet.listWithRunning());
    const views = samples.map((sample) => viewOf(sample, this.#before.get(sample.name)));
    this.#before = new Map(samples.map((sample) => [sample.name, sample]));
    return views;
  }
}

function viewOf(sample: MachineSample, before: MachineSample | undefined): MachineView {
  const { name, shortName, state, saved, os, vcpus, memoryBytes, running } = sample;
  return {
    name,
    shortName,
    state,
    saved,
    os,
    vcpus,
    memoryBytes,
    startSeconds: running?.startSeconds,
    residentBytes: running?.residentBytes,
    rates: ratesOf(before, sample),
    jobs: running?.jobs ?? [],
    failedDisks: (running?.disks ?? [])
      .filter(({ ioStatus }) => ioStatus !== 'ok')
      .map(({ disk, ioStatus }) => `${disk}: ${ioStatus}`),
  };
}
