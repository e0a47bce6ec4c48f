import { checkTimeout } from '../../base/abort.ts';
import type { MachineRef } from '../../machine/context.ts';
import { checkStopOptions, type StopOptions, type StopResult } from '../../machine/stop/stop.ts';
import type { Outcome } from '../schedule/outcome.ts';
import { dependentsOf } from '../schedule/requires.ts';
import { byBootOrder, checkParallel, runOrdered } from '../schedule/run-in-order.ts';
import { type ManyOptions, sharedSignal } from './many.ts';
import type { FleetParts } from './parts.ts';
import { stopOne } from './stop-machine.ts';

/** How to stop several machines. */
export interface StopManyOptions extends StopOptions, ManyOptions {
  /** Time for all machines together: for their PRESTOP, and for their guests to shut down. */
  readonly deadlineMs?: number | undefined;
}

/** Stops machines in order; see `Fleet.stopMany`. */
export async function stopInOrder(
  parts: FleetParts,
  targets: readonly MachineRef[],
  options: StopManyOptions,
): Promise<Outcome<StopResult>[]> {
  const { parallel = targets.length, deadlineMs, ...stopOptions } = options;
  checkParallel(options.parallel);
  checkStopOptions(options);
  if (deadlineMs !== undefined) checkTimeout(deadlineMs, 'deadlineMs');
  const { machines } = parts;
  const signal = sharedSignal(options.signal);
  const deadline = deadlineMs === undefined ? options.deadline : performance.now() + deadlineMs;
  const dependents = dependentsOf(targets, (target) => machines.stopSettings(target).requires);
  const outcomes = await runOrdered<StopResult>({
    groups: byBootOrder(targets, (target) => machines.stopSettings(target).bootOrder).toReversed(),
    before: (target) => dependents.get(target.longName) ?? [],
    parallel,
    work: (target) => stopOne(parts, target, { ...stopOptions, deadline, signal }),
    // A machine that hangs must not keep the others from being stopped.
    blocked: () => undefined,
  });
  return targets.flatMap((target) => outcomes.get(target) ?? []);
}
