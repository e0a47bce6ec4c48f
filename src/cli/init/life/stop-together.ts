import { stopTogether } from '../../../fleet/schedule/stop-together.ts';
import type { Context } from '../../run/context.ts';
import { stopOutcome } from './stop-outcome.ts';

/** What qemu-stop.service calls before the units of machines stop, when many of them do. */
export async function run(context: Context): Promise<number> {
  await stopTogether(context.fleet(), ({ longName }, result) => stopOutcome.text(longName, result) ?? '');
  return 0;
}
