import { QemuError } from '../../base/errors.ts';
import { exitPreconfig } from '../../machine/change/change-state.ts';
import { setVncPassword } from '../../machine/start/vnc-password.ts';
import { QmpClient } from '../../qmp/client.ts';
import type { Context } from '../run/context.ts';
import type { SelectionArguments } from '../shared/selection.ts';
import { changeState } from './monitor-actions.ts';

/** QEMU creates machines in milliseconds, but takes longer if it must preallocate memory. */
const TIMEOUT_MS = 60_000;

export async function run(context: Context, args: SelectionArguments): Promise<number> {
  return changeState(
    context,
    args,
    (monitor, target) =>
      exitPreconfig(monitor, async () => {
        const { config } = context.fleet().inspect(target);
        if (!config) return;
        // Secrets never go over the human monitor; until a password is set, QEMU refuses all viewers.
        if (monitor.client instanceof QmpClient) await setVncPassword(config, monitor.client);
        else if (config.vnc.kind !== 'off' && config.vnc.passwordFile !== undefined)
          throw passwordNotSet(target.longName);
      }),
    TIMEOUT_MS,
  );
}

function passwordNotSet(longName: string): QemuError {
  return new QemuError('QEMU_TIMEOUT', `Cannot set the VNC password of machine "${longName}"`, {
    hint: `other clients use its QMP monitors; later: qemu-init restart ${longName}`,
  });
}
