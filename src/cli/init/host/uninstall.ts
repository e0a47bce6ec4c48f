import { QemuError } from '../../../base/errors.ts';
import { runSteps, unregisterSteps } from '../../../fleet/install/init-registration.ts';
import { uninstallItems } from '../../../fleet/install/install.ts';
import { layoutFor } from '../../../fleet/install/layout.ts';
import { readManifest } from '../../../fleet/install/manifest.ts';
import { machinesOfUsers } from '../../../fleet/machines-of-users.ts';
import { dropOwnUser } from '../../../fleet/own-user.ts';
import { initSystem } from '../../../system/services/init-system.ts';
import { describeError } from '../../output/report.ts';
import type { Context } from '../../run/context.ts';
import { type InstallArguments, ownedBy, place, present } from './install.ts';

interface UninstallArguments extends InstallArguments {
  readonly stop?: boolean;
}

export async function run(context: Context, args: UninstallArguments): Promise<number> {
  const { prefix, destDir, dryRun } = place(args);
  const isHost = destDir === '' && !dryRun;
  const init = initSystem();
  const { manifest } = layoutFor(prefix);
  const written = [...readManifest(`${destDir}${manifest}`).written.keys()];
  const packaged = await ownedBy(destDir, [...written, PACKAGED_UNIT], context.signal);
  // Files of a package stay, with its units and tools.
  const isLast = isHost && written.length > 0 && !packaged.has(PACKAGED_UNIT);
  if (isLast) await settleRunning(context, args.stop === true);
  if (isLast) await runSteps(unregisterSteps(init), context.signal);
  present(context, uninstallItems({ destDir, manifest, dryRun, packaged }), dryRun);
  if (isHost && init === 'systemd') await runSteps([{ file: 'systemctl', args: ['daemon-reload'] }], context.signal);
  if (isLast) await dropOwnUsers(context);
  return 0;
}

/** Removed users that own nothing any more; kept ones need no mention. */
async function dropOwnUsers({ fleet }: Context): Promise<void> {
  for (const target of fleet().list()) await dropOwnUser(fleet().host, target, fleet().inspect(target).draft);
}

/** Path in the package of a distribution. */
const PACKAGED_UNIT = '/usr/lib/systemd/system/qemu@.service';

/**
 * Refuses while machines run: nothing would stop them at shutdown any more.
 *
 * @throws {QemuError} `QEMU_STOP_FAILED` when some run, or could not be stopped.
 */
async function settleRunning({ fleet, output, signal }: Context, stop: boolean): Promise<void> {
  const running = fleet()
    .listWithRunning()
    .filter((target) => fleet().isAlive(target));
  const others = machinesOfUsers();
  if (running.length + others.length === 0) return;
  if (!stop || others.length > 0) {
    const names = [...running.map(({ longName }) => longName), ...others].join(', ');
    throw new QemuError('QEMU_STOP_FAILED', `Machines are running that nothing would stop at shutdown: ${names}`, {
      hint:
        others.length > 0
          ? 'users must stop their own machines: qemu-init stop --all'
          : 'stop them first: qemu-init stop --all; or: qemu-init uninstall --stop',
    });
  }
  const failed: string[] = [];
  for (const outcome of await fleet().stopMany(running, { signal })) {
    const name = outcome.target.longName;
    if (outcome.ok) output.note('info', `${name}: stopped by ${outcome.value.rung}`);
    else {
      output.note('error', `${name}: ${describeError(outcome.error, output.debug)}`);
      failed.push(name);
    }
  }
  if (failed.length > 0) throw new QemuError('QEMU_STOP_FAILED', `Still running: ${failed.join(', ')}`);
}
