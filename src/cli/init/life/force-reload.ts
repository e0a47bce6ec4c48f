import { QemuError } from '../../../base/errors.ts';
import type { Outcome } from '../../../fleet/schedule/outcome.ts';
import { reloadMachine } from '../../../machine/change/reload.ts';
import type { Context } from '../../run/context.ts';
import { present } from '../../shared/many.ts';
import { select } from '../../shared/selection.ts';
import { reloadOutcome } from './reload.ts';
import { restart, restartOutcome } from './restart-all.ts';
import type { StopArguments } from './stop.ts';

/** How a reload, or a restart where that is not enough, is reported. */
interface Reported {
  readonly text: (name: string) => string | undefined;
  readonly json: object;
}

/** Reloads running machines, and restarts those that need it. */
export async function run(context: Context, args: StopArguments): Promise<number> {
  const fleet = context.fleet();
  const selection = select(context, args, () => fleet.list());
  const running = selection.targets.filter((target) => fleet.isAlive(target));
  const reloaded = await fleet.each(running, 1, (target) => reloadMachine(fleet.host, target, fleet.config(target)));
  const stuck = reloaded.filter((outcome) => !outcome.ok && needsRestart(outcome.error)).map(({ target }) => target);
  const restarted = await restart(context, stuck, args);
  const outcomes = reloaded.map((reload): Outcome<Reported> => {
    if (reload.ok) return { ...reload, value: reported(reloadOutcome, reload.value) };
    const again = restarted.find(({ target }) => target === reload.target);
    if (!again) return reload;
    return again.ok ? { ...again, value: reported(restartOutcome, again.value) } : again;
  });
  return present<Reported>(context, { ...selection, targets: running }, outcomes, {
    text: (name, { text }) => text(name),
    json: ({ json }) => json,
    failed: () => ({ outcome: 'failed' }),
  });
}

function needsRestart(error: unknown): boolean {
  return error instanceof QemuError && error.code === 'QEMU_NOT_IMPLEMENTED';
}

function reported<T>(
  presentation: { readonly text: (name: string, value: T) => string | undefined; readonly json: (value: T) => object },
  value: T,
): Reported {
  return { text: (name) => presentation.text(name, value), json: presentation.json(value) };
}
