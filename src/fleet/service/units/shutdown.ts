import type { MachineOrder } from '../../schedule/unit-order.ts';
import { type LimitConfig, stopTimeoutSeconds } from './limits.ts';
import { unitText } from './unit-text.ts';

/** A target that ends the host, and the seconds after which systemd forces it: systemd.unit(5), JobTimeoutSec. */
export interface ShutdownTarget {
  readonly name: string;
  readonly limitSeconds: number;
}

/** Seconds for everything else that a host does while it goes down. */
const MARGIN_SECONDS = 600;

/**
 * Seconds that the stop of all machines takes at most: they stop in the opposite order of their starts, each of them
 * within the time of its unit. If they all hang one after the other, this is longer than the 30 minutes of
 * poweroff.target.
 *
 * @param order that of `orderMachines()`, by long name.
 */
export function longestStopSeconds(
  machines: readonly { readonly target: { readonly longName: string }; readonly config: LimitConfig }[],
  order: ReadonlyMap<string, MachineOrder>,
): number {
  const own = new Map(machines.map(({ target, config }) => [target.longName, stopTimeoutSeconds(config)]));
  const known = new Map<string, number>();
  const longest = (name: string): number => {
    const found = known.get(name);
    if (found !== undefined) return found;
    const before = (order.get(name)?.after ?? []).map(longest);
    const seconds = (own.get(name) ?? 0) + Math.max(0, ...before);
    known.set(name, seconds);
    return seconds;
  };
  return Math.max(0, ...machines.map(({ target }) => longest(target.longName)));
}

/** Seconds that a target must leave for the machines; undefined when it leaves enough. */
export function shutdownSeconds(target: ShutdownTarget, stopSeconds: number): number | undefined {
  const needed = stopSeconds + MARGIN_SECONDS;
  return stopSeconds === 0 || needed <= target.limitSeconds ? undefined : needed;
}

/** Drop-ins that leave time to ask the last guest, too, to shut down, even if all before it hang. */
export function shutdownDropIns(
  targets: readonly ShutdownTarget[],
  stopSeconds: number,
): { readonly path: string; readonly text: string }[] {
  return targets.flatMap((target) => {
    const seconds = shutdownSeconds(target, stopSeconds);
    if (seconds === undefined) return [];
    const text = unitText(`Made by qemu-generator: the stop of all machines may take ${stopSeconds} s`, {
      Unit: [['JobTimeoutSec', String(seconds)]],
    });
    return [{ path: `${target.name}.d/50-qemu-machines.conf`, text }];
  });
}
