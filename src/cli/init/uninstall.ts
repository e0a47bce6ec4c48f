import { uninstallItems } from '../../fleet/install/install.ts';
import { layoutFor } from '../../fleet/install/layout.ts';
import { runSteps, unregisterSteps } from '../../fleet/install/register.ts';
import { isSystemdBooted } from '../../system/systemd.ts';
import type { Context } from '../context.ts';
import { type InstallArguments, place, present } from './install.ts';

export async function run(context: Context, args: InstallArguments): Promise<number> {
  const { prefix, destDir, dryRun } = place(args);
  const isHost = destDir === '' && !dryRun;
  const systemd = isSystemdBooted();
  if (isHost) await runSteps(unregisterSteps(systemd), context.signal);
  const { manifest } = layoutFor(prefix);
  present(context, uninstallItems({ destDir, manifest, dryRun }), dryRun);
  if (isHost && systemd) await runSteps([{ file: 'systemctl', args: ['daemon-reload'] }], context.signal);
  return 0;
}
