import { setVncPassword } from '../../machine/vnc-password.ts';
import type { Context } from '../context.ts';
import type { SelectionArguments } from '../selection.ts';
import { forEachRunning } from './monitor-action.ts';

/** Machines are made in milliseconds; memory that has to be touched first takes longer. */
const TIMEOUT_MS = 60_000;

export async function run(context: Context, args: SelectionArguments): Promise<number> {
  return forEachRunning(context, args, 'machine made', async (client, target) => {
    await client.executeRaw('x-exit-preconfig', undefined, { signal: context.signal, timeoutMs: TIMEOUT_MS });
    const { config } = context.fleet().inspect(target);
    if (config) await setVncPassword(config, client);
  });
}
