import { setAutostart } from '../../fleet/autostart.ts';
import { isSystemdBooted, isUnitInstalled, reloadSystemd } from '../../system/systemd.ts';
import type { Context } from '../context.ts';
import { present } from '../many.ts';
import { type SelectionArguments, select } from '../selection.ts';

export function run(context: Context, args: SelectionArguments): Promise<number> {
  return changeAutostart(context, args, true);
}

/** Sets AUTOSTART of machines, and has systemd take it over. */
export async function changeAutostart(context: Context, args: SelectionArguments, on: boolean): Promise<number> {
  const fleet = context.fleet();
  const selection = select(context, args, () => fleet.list());
  const outcomes = await fleet.each(selection.targets, 1, (target) => setAutostart(fleet, target, on, context.signal));
  const hasChanged = outcomes.some((outcome) => outcome.ok && outcome.value);
  if (hasChanged && context.paths.scope === 'system' && isSystemdBooted() && isUnitInstalled('qemu@.service')) {
    await reloadSystemd(context.signal);
  }
  return present<boolean>(context, selection, outcomes, {
    text: (name, changed) =>
      `${name}: ${changed ? '' : 'already '}${on ? 'starts' : 'does not start'} when the host boots`,
    json: (changed) => ({ autostart: on, outcome: changed ? 'changed' : 'unchanged' }),
  });
}
