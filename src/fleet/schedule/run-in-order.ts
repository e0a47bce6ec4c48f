import { checkWholeNumber } from '../../base/guards.ts';
import type { MachineRef } from '../../machine/context.ts';
import type { Outcome } from './outcome.ts';

export interface OrderedWork<T> {
  /** Groups of machines; a group begins when the one before it is done. */
  readonly groups: readonly (readonly MachineRef[])[];
  /** Machines that have to be done before this one, whatever group they are in. Without cycles. */
  readonly before: (target: MachineRef) => readonly MachineRef[];
  /** How many at a time. */
  readonly parallel: number;
  readonly work: (target: MachineRef) => Promise<T>;
  /** The error of a machine when one before it failed; undefined: go on nevertheless. */
  readonly blocked: (target: MachineRef, by: MachineRef) => unknown;
}

/** Does something to every machine in order, even if it fails for others. */
export async function runOrdered<T>(plan: OrderedWork<T>): Promise<Map<MachineRef, Outcome<T>>> {
  const limit = limiter(plan.parallel);
  const begun = new Map<MachineRef, Promise<Outcome<T>>>();
  const outcomes = new Map<MachineRef, Outcome<T>>();

  const once = (target: MachineRef): Promise<Outcome<T>> => {
    const known = begun.get(target);
    if (known) return known;
    const promise = run(target);
    begun.set(target, promise);
    return promise;
  };
  const run = async (target: MachineRef): Promise<Outcome<T>> => {
    const earlier = await Promise.all(plan.before(target).map(once));
    const failure = earlier.find(({ ok }) => !ok);
    const error = failure && plan.blocked(target, failure.target);
    const outcome: Outcome<T> =
      error === undefined ? await limit(() => attempt(target, plan.work)) : { target, ok: false, error, seconds: 0 };
    outcomes.set(target, outcome);
    return outcome;
  };

  for (const group of plan.groups) await Promise.all(group.map(once));
  return outcomes;
}

/** The outcome of one piece of work, which never throws. */
export async function attempt<T>(target: MachineRef, work: (target: MachineRef) => Promise<T>): Promise<Outcome<T>> {
  const began = performance.now();
  try {
    return { target, ok: true, value: await work(target) };
  } catch (error) {
    return { target, ok: false, error, seconds: Math.round(performance.now() - began) / 1000 };
  }
}

/**
 * Groups items by their boot order, lowest first. Within a group they keep the order that they came in.
 */
export function byBootOrder<T>(items: readonly T[], bootOrderOf: (item: T) => number): T[][] {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const order = bootOrderOf(item);
    const group = groups.get(order);
    if (group) group.push(item);
    else groups.set(order, [item]);
  }
  return [...groups.entries()].sort(([a], [b]) => a - b).map(([, group]) => group);
}

/** @throws {QemuError} `QEMU_USAGE` for a number of machines at a time that is not a whole number from 1. */
export function checkParallel(parallel: number | undefined): void {
  if (parallel !== undefined) checkWholeNumber(parallel, 'parallel', 1);
}

/** Runs work, at most `limit` pieces at a time, in the order in which it was given. */
export function limiter(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = Math.max(1, limit);
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}
