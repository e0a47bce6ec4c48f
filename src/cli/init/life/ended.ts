import { CRASH_WINDOW_SECONDS, MOST_CRASHES, recordCrash } from '../../../fleet/service/crashes.ts';
import { insideUnit } from '../../../fleet/service/inside-unit.ts';
import type { MachineRef } from '../../../machine/context.ts';
import { describeEnd, isBadEnd, type ProcessExit, readLastRun, readLastText } from '../../../machine/run/last-run.ts';
import { locate } from '../../../machine/run/locate.ts';
import { tidyUp } from '../../../machine/run/tidy-up.ts';
import { unitOf } from '../../../system/services/systemd.ts';
import type { Context } from '../../run/context.ts';
import { type SelectionArguments, select } from '../../shared/selection.ts';
import { stopOutcome } from './stop-outcome.ts';

/** Called by a unit when its QEMU has ended in any way, or is about to be killed. */
export async function run(context: Context, args: SelectionArguments): Promise<number> {
  const { targets } = select(context, args, () => []);
  let code = 0;
  for (const target of targets) {
    await stopIfAlive(context, target);
    code = Math.max(code, await report(context, target));
  }
  return code;
}

/** systemd stopped the unit during its start, or by itself: it kills what still runs after this with SIGKILL. */
async function stopIfAlive({ output, fleet, paths }: Context, target: MachineRef): Promise<void> {
  const located = locate(target.files);
  if (located.kind !== 'alive') return;
  // A user's QEMU in a session cannot be moved into the unit, whose start then fails: the unit must not touch it.
  if (paths.scope === 'user' && unitOf(located.process.pid) !== unitOf('self')) return;
  // Without the signal: nothing comes after this.
  const result = await fleet().stop(target);
  output.note('info', stopOutcome.text(target.longName, result) ?? '');
}

/**
 * Returns 1 when the guest failed although QEMU ended without an error, which is all that systemd sees:
 * systemd.service(5) then uses the status of ExecStopPost= for the unit and for Restart=on-failure.
 */
async function report(context: Context, target: MachineRef): Promise<number> {
  const { output, signal } = context;
  const { host } = context.fleet();
  const exit = exitOf(process.env);
  const tidied = await tidyUp(host, target, exit, signal);
  // A stop has cleaned up already; a failed start had no run, and the note is from an earlier one.
  const end = tidied ?? (exit && readLastRun(host.paths, target.longName));
  const text = tidied ? describeEnd(tidied) : readLastText(host.paths, target.longName);
  if (end) output.note(isBadEnd(end) ? 'error' : 'info', `${target.longName}: ${text}`);
  const hasFailed = (process.env['SERVICE_RESULT'] ?? 'success') !== 'success';
  if (tidied || hasFailed) await countCrash(context, target);
  const isFailure = tidied !== undefined && isBadEnd(tidied) && !hasFailed;
  return isFailure && restartOf(context, target) === 'on-failure' ? 1 : 0;
}

function restartOf({ fleet }: Context, target: MachineRef): string {
  return fleet().inspect(target).config?.restart ?? 'no';
}

/** RESTART has its limit here; without it systemd starts nothing again. */
async function countCrash(context: Context, target: MachineRef): Promise<void> {
  const { output, paths } = context;
  const unit = insideUnit(paths, target.longName);
  const restart = restartOf(context, target);
  if (!unit || restart === 'no' || !recordCrash(paths, target.longName)) return;
  const often = `it has ended ${MOST_CRASHES} times within ${CRASH_WINDOW_SECONDS / 60} minutes`;
  const hint = `start it: qemu-init start ${target.longName}`;
  output.note('error', `${target.longName}: not started again, since ${often}; ${hint}`);
  await unit.giveUp();
}

/** How the unit's main process ended: systemd.exec(5). */
function exitOf(env: NodeJS.ProcessEnv): ProcessExit | undefined {
  const { EXIT_CODE: kind, EXIT_STATUS: status } = env;
  if (status === undefined) return undefined;
  return kind === 'exited' || kind === 'killed' || kind === 'dumped' ? { kind, status } : undefined;
}
