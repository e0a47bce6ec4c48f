import { randomUUID } from 'node:crypto';
import { QemuError } from '../base/errors.ts';
import { type OnProgress, type Progress, RateMeter } from '../base/progress.ts';
import type { OnStopStep, StopStep } from '../machine/stop/stop-plan.ts';

/** What a page has begun, for all pages. */
export interface Task {
  readonly id: string;
  readonly machine: string;
  /** Word of a {@link MachineAction}. */
  readonly action: string;
  readonly state: 'running' | 'done' | 'failed';
  /** ISO 8601. */
  readonly startedAt: string;
  /** What was done, or why it failed, as a clause; undefined while it runs. */
  readonly text?: string | undefined;
  /** Who began it, behind a reverse proxy that says so. */
  readonly user?: string | undefined;
  readonly progress?: Progress | undefined;
  /** Of a stop: the step that began last, and when (ISO 8601). */
  readonly step?: (StopStep & { readonly since: string }) | undefined;
  /** Of a stop: what ended the machine. */
  readonly rung?: string | undefined;
}

/** What a task tells while it goes on. */
export interface TaskContext {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
  readonly onStep: OnStopStep;
}

/** What became of a task. */
export interface TaskResult {
  readonly text: string;
  readonly rung?: string | undefined;
}

/** What is to be done. */
export interface TaskWish {
  readonly machine: string;
  readonly action: string;
  readonly user?: string | undefined;
  readonly work: (context: TaskContext) => Promise<TaskResult>;
}

/** How long a task is shown after its end. */
const SHOWN_MS = { done: 60_000, failed: 300_000 };
const MOST_RUNNING = 50;
const MOST_SHOWN = 200;

interface Entry {
  task: Task;
  readonly abort: AbortController;
  readonly meter: RateMeter;
  end: Promise<void>;
  shownUntil: number;
}

/** What pages have begun. It goes on when they are closed, and is shown for a while after its end. */
export class Tasks {
  readonly #entries = new Map<string, Entry>();
  readonly #onChange: (task: Task) => void;

  /** @param onChange called when a task begins, gets on and ends. */
  constructor(onChange: (task: Task) => void) {
    this.#onChange = onChange;
  }

  /** Oldest first. */
  list(): readonly Task[] {
    const now = performance.now();
    for (const [id, { shownUntil }] of this.#entries) if (shownUntil < now) this.#entries.delete(id);
    return [...this.#entries.values()].slice(-MOST_SHOWN).map(({ task }) => task);
  }

  /** How many go on. */
  get running(): number {
    return [...this.#entries.values()].filter(({ task }) => task.state === 'running').length;
  }

  /** @throws {QemuError} `QEMU_LOCKED` when that is being done already, or too much is. */
  begin(wish: TaskWish): Task {
    const { machine, action, user } = wish;
    const running = this.list().filter(({ state }) => state === 'running');
    if (running.some((each) => each.machine === machine && each.action === action)) {
      throw new QemuError('QEMU_LOCKED', `"${action}" of machine "${machine}" goes on already`);
    }
    if (running.length >= MOST_RUNNING) throw new QemuError('QEMU_LOCKED', 'Too much goes on at once');
    const id = randomUUID();
    const entry: Entry = {
      task: { id, machine, action, user, state: 'running', startedAt: new Date().toISOString() },
      abort: new AbortController(),
      meter: new RateMeter(),
      end: Promise.resolve(),
      shownUntil: Number.POSITIVE_INFINITY,
    };
    this.#entries.set(id, entry);
    entry.end = this.#run(entry, wish);
    return entry.task;
  }

  /** Cancels one; false when it does not go on. */
  cancel(id: string): boolean {
    const entry = this.#entries.get(id);
    if (entry?.task.state !== 'running') return false;
    entry.abort.abort(new QemuError('QEMU_ABORTED', 'Cancelled'));
    return true;
  }

  /** Forgets one that has ended. */
  dismiss(id: string): void {
    if (this.#entries.get(id)?.task.state !== 'running') this.#entries.delete(id);
  }

  /** Cancels all, and waits until what they have made is undone. */
  async close(): Promise<void> {
    for (const id of this.#entries.keys()) this.cancel(id);
    await Promise.all([...this.#entries.values()].map(({ end }) => end));
  }

  async #run(entry: Entry, { work }: TaskWish): Promise<void> {
    this.#set(entry, {});
    try {
      const { text, rung } = await work({
        signal: entry.abort.signal,
        onProgress: (progress) => {
          const bytesPerSecond = progress.bytesPerSecond ?? entry.meter.measure(progress.done);
          this.#set(entry, { progress: { ...progress, bytesPerSecond } });
        },
        onStep: (step) => this.#set(entry, { step: { ...step, since: new Date().toISOString() } }),
      });
      entry.shownUntil = performance.now() + SHOWN_MS.done;
      this.#set(entry, { state: 'done', text, rung });
    } catch (error) {
      entry.shownUntil = performance.now() + SHOWN_MS.failed;
      this.#set(entry, { state: 'failed', text: textOf(error) });
    }
  }

  #set(entry: Entry, change: Partial<Task>): void {
    entry.task = { ...entry.task, ...change };
    this.#onChange(entry.task);
  }
}

/** What others than ours have thrown is a fault, whose text is for nobody here. */
function textOf(error: unknown): string {
  if (!(error instanceof QemuError)) return 'failed, by a fault of qemu-init';
  const hint = error.hint === undefined ? '' : ` (${error.hint})`;
  return `${error.message}${hint}`;
}
