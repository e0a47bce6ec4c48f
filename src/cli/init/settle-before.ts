import { settleFirst } from '../../machine/work/settle-first.ts';
import type { Fleet } from '../../provision/library/fleet.ts';

/** What the arguments of an action may name. */
interface Named {
  readonly id?: string;
  readonly ids?: readonly string[];
}

/** The machines. */
interface Machines {
  readonly fleet: () => Pick<Fleet, 'host' | 'listWithRunning'>;
}

/**
 * Sets right what killed commands left of work on the disks of the machines that the arguments name, else on those of all:
 * a guest may be waiting for that. For actions that do not do so themselves. Never throws.
 */
export async function settleBefore(context: Machines, { id, ids }: Named): Promise<void> {
  try {
    const fleet = context.fleet();
    const all = fleet.listWithRunning();
    // A backup is named as ID@POINT.
    const names = (id === undefined ? (ids ?? []) : [id]).map((name) => name.replace(/@.*$/, ''));
    const named = all.filter(({ longName, shortName }) => names.some((name) => [longName, shortName].includes(name)));
    await Promise.all((named.length > 0 ? named : all).map((target) => settleFirst(fleet.host, target)));
  } catch {
    // What keeps machines from being found is the action's to report.
  }
}
