import { MOST_TIMER_MS } from '../base/abort.ts';

/** A deadline that waits. */
export interface Deadline {
  readonly dueMs: number;
  readonly onTimeout: () => void;
}

/**
 * The deadlines of many commands, with one timer of Node. Most commands are answered long before theirs: a timer for each would cost
 * more than the rest of a command.
 */
export class Deadlines {
  readonly #waiting = new Set<Deadline>();
  #timer: NodeJS.Timeout | undefined;
  /** When the timer goes off. */
  #timerMs = Infinity;

  /** Calls back after so many milliseconds; never for `Infinity`. */
  add(timeoutMs: number, onTimeout: () => void): Deadline | undefined {
    if (timeoutMs === Infinity) return undefined;
    const deadline = { dueMs: performance.now() + timeoutMs, onTimeout };
    this.#waiting.add(deadline);
    if (deadline.dueMs < this.#timerMs) this.#start(deadline.dueMs);
    else if (this.#waiting.size === 1) this.#timer?.ref();
    return deadline;
  }

  remove(deadline: Deadline | undefined): void {
    if (deadline === undefined || !this.#waiting.delete(deadline)) return;
    // The timer stays for the commands that come next, and keeps no program alive.
    if (this.#waiting.size === 0) this.#timer?.unref();
  }

  /** No command comes any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#waiting.clear();
  }

  #start(dueMs: number): void {
    clearTimeout(this.#timer);
    this.#timerMs = dueMs;
    const leftMs = Math.max(0, Math.ceil(dueMs - performance.now()));
    this.#timer = setTimeout(() => this.#goOff(), Math.min(leftMs, MOST_TIMER_MS));
  }

  #goOff(): void {
    const now = performance.now();
    this.#timerMs = Infinity;
    const due = [...this.#waiting].filter(({ dueMs }) => dueMs <= now).sort((one, other) => one.dueMs - other.dueMs);
    // One that goes off may remove another one.
    for (const deadline of due) if (this.#waiting.delete(deadline)) deadline.onTimeout();
    const next = Math.min(...Array.from(this.#waiting, ({ dueMs }) => dueMs));
    if (next < this.#timerMs) this.#start(next);
  }
}
