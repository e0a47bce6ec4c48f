import type { MachineConfig } from '../../../../config/types.ts';
import type { MachineRef } from '../../../../machine/context.ts';
import { type UpSign, waitUntilUp } from '../../../../machine/observe/wait-up.ts';
import type { StartResult } from '../../../../machine/start/already-running.ts';
import { seedMarker } from '../../../../provision/seed/seed-folder.ts';
import { sshAddress } from '../../../../provision/ssh-port.ts';
import type { Context } from '../../../run/context.ts';
import { patiently } from '../../../shared/patience.ts';

/** Starts the new machine. What it is made of stays when that fails. */
export async function startCreated(context: Context, target: MachineRef): Promise<StartResult> {
  const [outcome] = await context.fleet().startMany([target], { signal: context.signal });
  if (outcome?.ok) return outcome.value;
  throw outcome?.error;
}

/** What a guest without data for cloud-init prints when it is up. */
const LOGIN = /\blogin: ?$/;

/** Waits until its guest is up, and says what showed that. */
export function waitForCreated(
  context: Context,
  target: MachineRef,
  config: MachineConfig,
  { timeout, userData }: { readonly timeout: number; readonly userData?: string },
): Promise<UpSign> {
  // What the data of others makes the guest print is not known.
  const isOurs = config.cloudInit !== undefined && userData === undefined;
  const work = waitUntilUp(context.fleet().host, target, config, {
    ssh: sshAddress(config),
    console: isOurs ? new RegExp(seedMarker(config.uuid)) : LOGIN,
    withAgent: config.cloudInit === undefined,
    deadline: performance.now() + timeout * 1000,
    signal: context.signal,
  });
  return patiently(context, work, () => `waiting for the guest of ${target.longName} (Ctrl-C: it goes on without)`);
}
