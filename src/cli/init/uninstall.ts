import { initSystem } from '../../fleet/install/init-system.ts';
import { uninstallItems } from '../../fleet/install/install.ts';
import { layoutFor } from '../../fleet/install/layout.ts';
import { runSteps, unregisterSteps } from '../../fleet/install/register.ts';
import { dropOwnUser } from '../../fleet/own-user.ts';
import type { Context } from '../context.ts';
import { type InstallArguments, place, present } from './install.ts';

export async function run(context: Context, args: InstallArguments): Promise<number> {
  const { prefix, destDir, dryRun } = place(args);
  const isHost = destDir === '' && !dryRun;
  const init = initSystem();
  if (isHost) warnOfRunning(context);
  if (isHost) await runSteps(unregisterSteps(init), context.signal);
  const { manifest } = layoutFor(prefix);
  present(context, uninstallItems({ destDir, manifest, dryRun }), dryRun);
  if (isHost && init === 'systemd') await runSteps([{ file: 'systemctl', args: ['daemon-reload'] }], context.signal);
  if (isHost) await dropOwnUsers(context);
  return 0;
}

/** Those that own nothing any more; what is kept needs no word. */
async function dropOwnUsers({ fleet }: Context): Promise<void> {
  for (const target of fleet().list()) await dropOwnUser(fleet().host, target, fleet().inspect(target).draft);
}

/** They are not harmed, but nothing shuts them down with the host any more. */
function warnOfRunning({ fleet, output }: Context): void {
  const running = fleet()
    .listWithRunning()
    .filter((target) => fleet().isAlive(target));
  const names = running.map(({ longName }) => longName).join(', ');
  if (names !== '') output.note('warning', `still running, and from now on not stopped at shutdown: ${names}`);
}
