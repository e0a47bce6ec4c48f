import { QemuError } from '../../errors.ts';
import { reloadMachine } from '../../machine/reload.ts';
import type { Context } from '../context.ts';
import { select } from '../selection.ts';
import { restartAll } from './restart-all.ts';
import type { StopArguments } from './stop.ts';

/** Reloads running machines, and restarts those where that is not enough. */
export async function run(context: Context, args: StopArguments): Promise<number> {
  const fleet = context.fleet();
  const selection = select(context, args, () => fleet.list());
  const running = selection.targets.filter((target) => fleet.isAlive(target));
  const reloaded = await fleet.each(running, 1, (target) => reloadMachine(fleet.host, target, fleet.config(target)));
  const stuck = reloaded.flatMap((outcome) => {
    if (outcome.ok) return [];
    if (outcome.error instanceof QemuError && outcome.error.code !== 'QEMU_NOT_IMPLEMENTED') throw outcome.error;
    return [outcome.target];
  });
  return restartAll(context, { ...selection, targets: stuck }, args);
}
