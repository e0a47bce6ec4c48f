import type { Context } from '../../run/context.ts';
import { select } from '../../shared/selection.ts';
import { restartAll } from './restart-all.ts';
import type { StopArguments } from './stop.ts';

interface Arguments extends StopArguments {
  readonly live?: boolean;
}

export async function run(context: Context, args: Arguments): Promise<number> {
  if (args.live === true) return (await import('./restart-live.ts')).run(context, args);
  const selection = select(context, args, () => context.fleet().list());
  return restartAll(context, selection, args);
}
