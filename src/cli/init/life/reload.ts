import { type AskedLive, answerLive, liveProgress, takeLive } from '../../../fleet/service/asked-live.ts';
import { insideUnit } from '../../../fleet/service/inside-unit.ts';
import { type ReloadResult, reloadMachine } from '../../../machine/change/reload.ts';
import type { MachineRef } from '../../../machine/context.ts';
import { reloadSystemd } from '../../../system/services/systemd.ts';
import { userManagerOf } from '../../../system/services/user-systemd.ts';
import { describeError } from '../../output/report.ts';
import type { Context } from '../../run/context.ts';
import { exitCodeOf } from '../../run/exit-code.ts';
import { type Presentation, present } from '../../shared/many.ts';
import { type SelectionArguments, select } from '../../shared/selection.ts';

interface Arguments extends SelectionArguments {
  readonly timeout: number;
  readonly direct?: boolean;
}

/** Makes running machines what their files say. */
export async function run(context: Context, args: Arguments): Promise<number> {
  try {
    return await reload(context, args);
  } finally {
    // systemd/qemu-unlimited has lifted the limits of the unit: systemd sets them when it reads the units.
    if (process.env['QEMU_INIT_LIFTED'] !== undefined) await reloadSystemd({ manager: userManagerOf(context.paths) });
  }
}

async function reload(context: Context, args: Arguments): Promise<number> {
  const fleet = context.fleet();
  const options = { timeoutMs: args.timeout * 1000, signal: context.signal };
  const selection = select(context, args, () => fleet.list().filter((target) => fleet.isAlive(target)));
  const [only] = selection.targets;
  if (args.direct === true && only !== undefined && insideUnit(context.paths, only.longName) !== undefined) {
    const asked = takeLive(context.paths, only.longName);
    if (asked) return restartInUnit(context, only, asked);
  }
  const outcomes = await fleet.each(selection.targets, 1, (target) =>
    reloadMachine(fleet.host, target, fleet.config(target), options),
  );
  return present<ReloadResult>(context, selection, outcomes, reloadOutcome);
}

/** In the unit of a machine, for the command that asked systemd for it. */
async function restartInUnit(context: Context, target: MachineRef, asked: AskedLive): Promise<number> {
  const { paths, signal, notices, output } = context;
  try {
    const result = await context.fleet().restartLive(target, {
      ...asked,
      signal,
      onProgress: liveProgress(paths, target.longName),
    });
    answerLive(paths, target.longName, { result, notices });
    return 0;
  } catch (error) {
    answerLive(paths, target.longName, { error, notices });
    output.note('error', `${target.longName}: ${describeError(error, output.debug)}`);
    return exitCodeOf(error);
  }
}

/** How a reload is shown. */
export const reloadOutcome: Presentation<ReloadResult> = {
  text: (name, { applied }) =>
    `${name}: ${applied.length === 0 ? 'nothing to change' : `changed ${applied.join(', ')}`}`,
  json: ({ applied }) => ({ outcome: 'reloaded', applied }),
  failed: () => ({ outcome: 'failed' }),
};
