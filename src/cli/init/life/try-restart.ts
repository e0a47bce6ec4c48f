import type { Context } from '../../run/context.ts';
import { select } from '../../shared/selection.ts';
import { restartAll } from './restart-all.ts';
import type { StopArguments } from './stop.ts';

export async function run(context: Context, args: StopArguments): Promise<number> {
  const fleet = context.fleet();
  const selection = select(context, args, () => fleet.list());
  const running = selection.targets.filter((target) => fleet.isAlive(target));
  return restartAll(context, { ...selection, targets: running }, args);
}
