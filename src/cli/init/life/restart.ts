import type { Context } from '../../run/context.ts';
import { select } from '../../shared/selection.ts';
import { restartAll } from './restart-all.ts';
import type { StopArguments } from './stop.ts';

export async function run(context: Context, args: StopArguments): Promise<number> {
  const selection = select(context, args, () => context.fleet().list());
  return restartAll(context, selection, args);
}
