import type { Outcome } from '../../fleet/schedule/outcome.ts';
import type { MachineRef } from '../../machine/context.ts';
import type { StopResult } from '../../machine/stop/stop.ts';
import type { Context } from '../run/context.ts';
import { namesOf, patiently, withInterruptHint } from './patience.ts';

/** How a command that waits stops guests. */
interface StopWish {
  readonly force?: boolean | undefined;
  /** Instead of STOPDELAY. */
  readonly stopDelayMs?: number | undefined;
}

/** Prints what a stop is waiting for, how to leave it, and what happens to the guest then. */
export async function stopPatiently(
  context: Context,
  targets: readonly MachineRef[],
  wish: StopWish,
  work: Promise<Outcome<StopResult>[]>,
): Promise<Outcome<StopResult>[]> {
  const fleet = context.fleet();
  const outcomes = await patiently(context, work, () => {
    const left = targets.filter((target) => fleet.isAlive(target));
    if (left.length === 0) return undefined;
    if (wish.force === true) return `waiting for QEMU to end: ${namesOf(left)}`;
    const delays = left.map(
      (target) => wish.stopDelayMs ?? fleet.machines.stopSettings(target).stopDelaySeconds * 1000,
    );
    const limit = Math.round(Math.max(...delays) / 1000);
    const whom = left.length === 1 ? 'the guest' : 'guests';
    const leave = 'Ctrl-C stops waiting and leaves the guest alone';
    return `waiting up to ${limit} s for ${whom} to shut down: ${namesOf(left)} (${leave}; at once: qemu-init stop --force)`;
  });
  return withInterruptHint(outcomes, (target) =>
    fleet.isAlive(target) ? `it still runs, but may still shut down: qemu-init status ${target.longName}` : undefined,
  );
}
