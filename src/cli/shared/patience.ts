import { QemuError } from '../../base/errors.ts';
import type { Outcome } from '../../fleet/schedule/outcome.ts';
import type { MachineRef } from '../../machine/context.ts';
import type { Context } from '../run/context.ts';

/** After this time the line that explains the wait is shown. */
const QUIET_MS = 2_000;

/** Most names shown in a line. */
const MOST_NAMES = 5;

/**
 * Prints once on a terminal, if `work` takes long, what it is waiting for.
 *
 * @param text the line; undefined: print nothing.
 */
export async function patiently<T>({ output }: Context, work: Promise<T>, text: () => string | undefined): Promise<T> {
  if (!output.isWatched) return work;
  const timer = setTimeout(() => {
    const line = text();
    if (line !== undefined) output.note('info', line);
  }, QUIET_MS);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

/** Names of machines in a line: the first ones, and how many more. */
export function namesOf(targets: readonly MachineRef[]): string {
  const names = targets.slice(0, MOST_NAMES).map(({ longName }) => longName);
  const more = targets.length - names.length;
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ');
}

/** Outcomes with a hint about the state after Ctrl-C. */
export function withInterruptHint<T>(
  outcomes: readonly Outcome<T>[],
  hint: (target: MachineRef) => string | undefined,
): Outcome<T>[] {
  return outcomes.map((outcome) => {
    if (outcome.ok) return outcome;
    const { error, target } = outcome;
    const advice = error instanceof QemuError && error.code === 'QEMU_ABORTED' ? hint(target) : undefined;
    if (advice === undefined || !(error instanceof QemuError)) return outcome;
    return { ...outcome, error: new QemuError(error.code, error.message, { cause: error.cause, hint: advice }) };
  });
}
