import { availableParallelism } from 'node:os';
import { delay } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import { type MachineRef, notRunning } from '../../machine/context.ts';
import type { StartResult } from '../../machine/start/already-running.ts';
import type { StartOptions } from '../../machine/start/launch-request.ts';
import type { Outcome } from '../schedule/outcome.ts';
import { withRequired } from '../schedule/requires.ts';
import { byBootOrder, checkParallel, runOrdered } from '../schedule/run-in-order.ts';
import { type ManyOptions, sharedSignal } from './many.ts';
import type { FleetParts } from './parts.ts';
import { startOne } from './start-machine.ts';

/** How to start several machines. */
export interface StartManyOptions extends StartOptions, ManyOptions {
  /** Wait for each machine's BOOTDELAY before its start. */
  readonly withBootDelay?: boolean | undefined;
  /** Fail if a required machine is not running, instead of starting it. */
  readonly alone?: boolean | undefined;
}

const DEFAULT_BOOT_ORDER = 50;

/** Starts machines in order; see `Fleet.startMany`. What fails has only the first reason. */
export async function startInOrder(
  parts: FleetParts,
  targets: readonly MachineRef[],
  options: StartManyOptions,
): Promise<Outcome<StartResult>[]> {
  const { parallel = availableParallelism(), withBootDelay = false, alone = false, ...startOptions } = options;
  checkParallel(options.parallel);
  const { machines } = parts;
  const signal = sharedSignal(options.signal);
  const asked = new Set(targets.map(({ longName }) => longName));
  // A machine whose file has mistakes does not start, and needs none.
  const configOf = (target: MachineRef) => machines.inspect(target).config;
  const required = withRequired(targets, (target) => (configOf(target)?.requires ?? []).map((id) => machines.get(id)));
  const outcomes = await runOrdered<StartResult>({
    groups: byBootOrder(required.targets, (target) => configOf(target)?.bootOrder ?? DEFAULT_BOOT_ORDER),
    before: required.of,
    parallel,
    work: async (target) => {
      if (required.errors.has(target.longName)) throw required.errors.get(target.longName);
      const isAsked = asked.has(target.longName);
      if (alone && !isAsked && !machines.isAlive(target)) throw notRunning(target);
      const delayMs = (configOf(target)?.bootDelaySeconds ?? 0) * 1000;
      if (withBootDelay && !machines.isAlive(target)) await delay(delayMs, signal);
      // Options such as --paused are for the chosen machines, not for those that they require.
      return startOne(parts, target, isAsked ? { ...startOptions, signal } : { signal });
    },
    blocked: (target, by) =>
      new QemuError(
        'QEMU_LAUNCH_FAILED',
        `Machine "${target.longName}" requires "${by.longName}", which did not start`,
      ),
  });
  return required.targets.flatMap((target) => {
    const outcome = outcomes.get(target);
    const isPulledIn =
      !asked.has(target.longName) && outcome?.ok === true && outcome.value.outcome === 'already-running';
    return outcome === undefined || isPulledIn ? [] : [outcome];
  });
}
