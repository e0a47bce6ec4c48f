import type { MachinePaths } from '../../system/paths.ts';
import type { ProcessInfo } from '../../system/process/process.ts';
import type { Part } from '../argv/description.ts';
import { writeJournal } from './journal.ts';
import type { Step } from './plan.ts';
import { identityOf, type Running } from './running.ts';
import { type Texts, withText } from './texts.ts';

type StepOf<D extends Step['do']> = Extract<Step, { readonly do: D }>;

/** What a machine consists of while it is changed, noted before each step that adds and after each that removes. */
export class Ledger {
  readonly #files: MachinePaths;
  readonly #process: ProcessInfo;
  #running: Running;

  constructor(files: MachinePaths, process: ProcessInfo, running: Running) {
    this.#files = files;
    this.#process = process;
    this.#running = running;
  }

  get running(): Running {
    return this.#running;
  }

  write(): void {
    writeJournal(this.#files, this.#process, this.#running);
  }

  /** Devices that are plugged in next. */
  toCome({ key, parts }: StepOf<'plug'>, texts: Texts): void {
    const { running } = this;
    const ids = parts.flatMap((part) => (part.kind === 'device' ? (part.id ?? []) : []));
    this.#note({
      ...running,
      config: withText(running.config, key, texts),
      parts: [...running.parts, ...parts],
      plugged: [...running.plugged, ...ids],
    });
  }

  /** Keys whose devices are asked to go next. */
  leaving(keys: readonly string[]): void {
    const now = new Date().toISOString();
    const leaving = Object.fromEntries(keys.map((key) => [key, this.running.leaving[key] ?? now]));
    this.#note({ ...this.running, leaving: { ...this.running.leaving, ...leaving } });
  }

  /** Devices that are gone with all that they had. */
  gone({ key, parts }: StepOf<'unplug'>, texts: Texts): void {
    const { running } = this;
    const gone = new Set(parts.map(identityOf));
    const ids = new Set(parts.flatMap((part) => (part.kind === 'device' ? (part.id ?? []) : [])));
    const leaving = Object.entries(running.leaving).filter(([name]) => name !== key);
    this.#note({
      // Of processors only some go; what takes the place of a device is not there yet.
      config: withText(running.config, key, key === 'SMP' ? texts : new Map()),
      parts: running.parts.filter((part) => !gone.has(identityOf(part))),
      plugged: running.plugged.filter((id) => !ids.has(id)),
      leaving: Object.fromEntries(leaving),
    });
  }

  /** A change without a device that came or went. */
  changed(step: Exclude<Step, StepOf<'plug' | 'unplug'>>, texts: Texts): void {
    const { running } = this;
    const now = (part: Part): Part =>
      (step.do === 'medium' || step.do === 'throttle') && identityOf(part) === identityOf(step.drive)
        ? step.drive
        : part;
    this.#note({ ...running, config: withText(running.config, step.key, texts), parts: running.parts.map(now) });
  }

  /** The order in which devices boot. */
  ordered(order: ReadonlyMap<string, number>, texts: Texts): void {
    const { running } = this;
    const parts = running.parts.map((part): Part => {
      if (part.kind !== 'device' || part.id === undefined) return part;
      const { bootindex: _, ...properties } = part.properties;
      const place = order.get(part.id);
      return { ...part, properties: place === undefined ? properties : { ...properties, bootindex: place } };
    });
    this.#note({ ...running, config: withText(running.config, 'BOOT', texts), parts });
  }

  #note(running: Running): void {
    this.#running = running;
    this.write();
  }
}
