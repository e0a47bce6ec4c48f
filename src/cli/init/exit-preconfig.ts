import { exitPreconfig } from '../../machine/change-state.ts';
import { setVncPassword } from '../../machine/vnc-password.ts';
import type { Context } from '../context.ts';
import type { SelectionArguments } from '../selection.ts';
import { changeState } from './monitor-action.ts';

/** Machines are made in milliseconds; memory that has to be touched first takes longer. */
const TIMEOUT_MS = 60_000;

export async function run(context: Context, args: SelectionArguments): Promise<number> {
  return changeState(
    context,
    args,
    (monitor, target) =>
      exitPreconfig(monitor, async () => {
        const { config } = context.fleet().inspect(target);
        if (config) await setVncPassword(config, monitor.client);
      }),
    TIMEOUT_MS,
  );
}
