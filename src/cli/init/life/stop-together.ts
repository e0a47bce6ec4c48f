import { stopTogether } from '../../../fleet/schedule/stop-together.ts';
import type { Context } from '../../run/context.ts';

/** What qemu-stop.service calls before the units of machines stop, when many of them do. */
export async function run(context: Context): Promise<number> {
  await stopTogether(context.fleet());
  return 0;
}
