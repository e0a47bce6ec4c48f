import { duration, rate, size } from './text.js';
import { wordsOf } from './words.js';

const RUNGS = { powerdown: 'power button', agent: 'guest agent', quit: 'quit', sigterm: 'SIGTERM', sigkill: 'SIGKILL' };

/** A step of a stop in words: `power button and guest agent`. */
export function rungText({ rungs }) {
  return rungs.map((rung) => RUNGS[rung] ?? rung).join(' and ');
}

/** Seconds that the step has taken. */
export function secondsOf({ since }) {
  return Math.max(0, (Date.now() - Date.parse(since)) / 1000);
}

/** What a task is at: `Stopping: power button, 12 s of 60 s`. */
export function stepText({ action, step, progress }) {
  const { doing } = wordsOf(action);
  if (step) {
    const current = step.plan[step.at];
    return `${doing}: ${rungText(current)}, ${Math.floor(secondsOf(step))} s of ${Math.round(current.timeoutMs / 1000)} s`;
  }
  return progress && progress.total > 0 ? `${doing}: ${Math.floor((100 * progress.done) / progress.total)} %` : doing;
}

/** How far long work is: `1.2 GiB of 8 GiB, 96 MiB/s, 1 min left`. */
export function progressText({ phase, done, total, bytesPerSecond }) {
  const parts = [total > 0 ? `${size(done)} of ${size(total)}` : size(done)];
  if (bytesPerSecond) {
    parts.push(rate(bytesPerSecond));
    if (total > done) parts.push(`${duration((total - done) / bytesPerSecond)} left`);
  }
  return `${phase}: ${parts.join(', ')}`;
}
