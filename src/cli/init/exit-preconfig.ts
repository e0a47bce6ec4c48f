import { exitPreconfig } from '../../machine/change/change-state.ts';
import { setVncPassword } from '../../machine/start/vnc-password.ts';
import type { Context } from '../run/context.ts';
import type { SelectionArguments } from '../shared/selection.ts';
import { changeState } from './monitor-actions.ts';

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
