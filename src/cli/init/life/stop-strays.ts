import { stopStrays } from '../../../fleet/schedule/stop-strays.ts';
import type { Context } from '../../run/context.ts';

/** What qemu-strays.service calls when the host goes down. */
export async function run(context: Context): Promise<number> {
  await stopStrays(context.fleet());
  return 0;
}
