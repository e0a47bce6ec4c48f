import { type OnProgress, type Progress, RateMeter } from '../../base/progress.ts';
import type { Output } from './output.ts';
import { sizeText } from './sizes.ts';

/** Between two pictures of the bar. */
const REDRAW_MS = 200;
/** Between two lines where there is no terminal. */
const LINE_MS = 10_000;
const BAR_WIDTH = 20;
/** A bar that is shorter shows nothing. */
const LEAST_BAR = 5;
/** What stands still for so long is reported as that: a disk may hang, and a captured QEMU may never end a job. */
const STALLED_MS = 60_000;

/** What one machine does, and how fast. */
interface Shown {
  readonly progress: Progress;
  readonly rate: number | undefined;
  /** Since when it has not gone on, by the clock of the display. */
  readonly sinceMs: number;
}

/**
 * Shows on stderr how far long work is: a bar on a terminal, a line every ten seconds elsewhere, nothing with
 * `--quiet`. Several machines share the bar.
 */
export class ProgressDisplay {
  readonly #output: Output;
  readonly #now: () => number;
  readonly #shown = new Map<string, Shown>();
  readonly #nextAt = new Map<string, number>();

  /** @param now a monotonic clock, in milliseconds. */
  constructor(output: Output, now: () => number = () => performance.now()) {
    this.#output = output;
    this.#now = now;
  }

  /** Where the work on a machine reports to. */
  of(name: string): OnProgress {
    const meter = new RateMeter();
    // Quick work needs no line.
    this.#nextAt.set(name, this.#now() + LINE_MS);
    return (progress) => {
      const measured = meter.measure(progress.done, this.#now());
      const last = this.#shown.get(name);
      const sinceMs = last !== undefined && isSame(last.progress, progress) ? last.sinceMs : this.#now();
      this.#shown.set(name, { progress, rate: progress.bytesPerSecond ?? measured, sinceMs });
      this.#draw(name);
    };
  }

  /** The work on a machine is over. */
  end(name: string): void {
    this.#shown.delete(name);
    if (this.#shown.size === 0) this.#output.fleeting(undefined);
  }

  #draw(name: string): void {
    const shown = this.#shown.get(name);
    if (shown === undefined) return;
    const key = this.#output.hasBar ? '' : name;
    const now = this.#now();
    if (now < (this.#nextAt.get(key) ?? 0)) return;
    this.#nextAt.set(key, now + (this.#output.hasBar ? REDRAW_MS : LINE_MS));
    if (this.#output.hasBar) this.#output.fleeting(this.#bar());
    else this.#output.note('info', `${name}: ${this.#text(shown, 0)}`);
  }

  #bar(): string {
    const all = [...this.#shown];
    const [first] = all;
    if (first === undefined) return '';
    const room = this.#output.fleetingWidth;
    if (all.length === 1) return fitted(room, (barWidth) => `${first[0]}: ${this.#text(first[1], barWidth)}`);
    const sum = (of: (shown: Shown) => number): number => all.reduce((total, [, shown]) => total + of(shown), 0);
    const progress = {
      phase: first[1].progress.phase,
      done: sum((each) => each.progress.done),
      total: sum((each) => each.progress.total),
    };
    const rate = sum((each) => each.rate ?? 0) || undefined;
    return fitted(room, (barWidth) => `${all.length} machines: ${progressText(progress, rate, barWidth)}`);
  }

  #text({ progress, rate, sinceMs }: Shown, barWidth: number): string {
    const stalledMs = this.#now() - sinceMs;
    if (stalledMs < STALLED_MS) return progressText(progress, rate, barWidth);
    return `${progressText(progress, undefined, barWidth)}, no progress for ${clock(stalledMs / 1000)}`;
  }
}

/** What does not fit is taken from the bar: the time that is left comes last, and is what people look for. */
function fitted(room: number, make: (barWidth: number) => string): string {
  const width = BAR_WIDTH - Math.max(0, make(BAR_WIDTH).length - room);
  return make(width < LEAST_BAR ? 0 : width);
}

/** What is past the end is no progress. */
function isSame(one: Progress, other: Progress): boolean {
  return one.phase === other.phase && shownOf(one) === shownOf(other);
}

function shownOf({ done, total }: Progress): number {
  return total > 0 ? Math.min(done, total) : done;
}

/**
 * Does long work on one machine with its progress shown.
 *
 * @throws what `work` throws.
 */
export async function showProgress<T>(
  output: Output,
  name: string,
  work: (onProgress: OnProgress) => Promise<T>,
): Promise<T> {
  const display = new ProgressDisplay(output);
  try {
    return await work(display.of(name));
  } finally {
    display.end(name);
  }
}

/**
 * Progress as text: `copying DSK1, 42 %, 4.2 GiB of 10 GiB, 120 MiB/s, 0:48 left`. Pure.
 *
 * @param barWidth characters of a bar; 0: none.
 */
export function progressText({ phase, done, total }: Progress, rate: number | undefined, barWidth = 0): string {
  const isKnown = total > 0;
  const part = isKnown ? Math.min(1, done / total) : 0;
  const filled = Math.floor(part * barWidth);
  const bar = barWidth === 0 ? '' : ` [${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}]`;
  // Of some work nothing can be counted.
  if (!isKnown && done === 0) return phase;
  const numbers = isKnown
    ? `${Math.floor(part * 100)} %, ${sizeText(Math.min(done, total))} of ${sizeText(total)}`
    : sizeText(done);
  const speed = rate === undefined ? '' : `, ${sizeText(rate)}/s`;
  const left =
    isKnown && rate !== undefined && rate > 0 ? `, ${clock((total - Math.min(done, total)) / rate)} left` : '';
  return `${phase}${barWidth === 0 ? ',' : bar} ${numbers}${speed}${left}`;
}

/** Seconds as `0:48` or `2:05:00`. */
function clock(seconds: number): string {
  const whole = Math.ceil(seconds);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
