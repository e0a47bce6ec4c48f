import type { Context } from '../context.ts';
import type { SelectionArguments } from '../selection.ts';
import { forEachRunning } from './monitor-action.ts';

export async function run(context: Context, args: SelectionArguments): Promise<number> {
  return forEachRunning(context, args, 'paused', async (client) => {
    await client.execute('stop', undefined, { signal: context.signal, timeoutMs: MONITOR_TIMEOUT_MS });
  });
}

/** QEMU answers in a millisecond; one that is busy with a slow disk may take seconds. */
const MONITOR_TIMEOUT_MS = 10_000;
