import { whenStarted, whyMasked } from '../../../fleet/service/boot-start.ts';
import { isSystemdBooted, isUnitInstalled, reloadSystemd, systemctl } from '../../../system/services/systemd.ts';
import { hasUserUnits, userManagerOf } from '../../../system/services/user-systemd.ts';
import type { Context } from '../../run/context.ts';
import { present } from '../../shared/many.ts';
import { type SelectionArguments, select } from '../../shared/selection.ts';

export function run(context: Context, args: SelectionArguments): Promise<number> {
  return changeAutostart(context, args, true);
}

/** Sets AUTOSTART of machines, and lets systemd read it. */
export async function changeAutostart(context: Context, args: SelectionArguments, on: boolean): Promise<number> {
  const fleet = context.fleet();
  const selection = select(context, args, () => fleet.list());
  const outcomes = await fleet.each(selection.targets, 1, (target) =>
    fleet.setAutostart(target, on, { signal: context.signal }),
  );
  const hasChanged = outcomes.some((outcome) => outcome.ok && outcome.value);
  const { paths, signal } = context;
  if (hasChanged && paths.scope === 'system' && isSystemdBooted() && isUnitInstalled('qemu@.service')) {
    await reloadSystemd({ signal });
  }
  if (hasUserUnits(paths)) {
    const manager = userManagerOf(paths);
    if (hasChanged) await reloadSystemd({ signal, manager });
    // A user's target is not enabled by an installation.
    if (on) await systemctl(['--quiet', 'enable', 'qemu.target'], { signal, manager });
  }
  const when = on ? await whenStarted(paths, signal) : 'does not start automatically, neither at boot nor at login';
  const masked = (name: string): string | undefined => (on ? whyMasked(paths, name) : undefined);
  return present<boolean>(context, selection, outcomes, {
    text: (name, changed) =>
      `${name}: ${masked(name) ?? when}${changed ? '' : ` (AUTOSTART was ${on ? 'on' : 'off'} already)`}`,
    same: (changed) => (changed ? undefined : `AUTOSTART was ${on ? 'on' : 'off'} already`),
    json: (changed) => ({ autostart: on, outcome: changed ? 'changed' : 'unchanged' }),
  });
}
