import type { FleetStatus } from '../../fleet/fleet.ts';
import type { RestartState } from '../../fleet/service/restart-state.ts';
import { describeState, stateRule } from '../../machine/control/run-state.ts';
import { describeEnd, isBadEnd, isPulledPlug } from '../../machine/run/last-run.ts';
import type { Output } from '../output/output.ts';
import type { Context } from '../run/context.ts';
import { statusExitCode } from '../run/exit-code.ts';
import { present } from '../shared/many.ts';
import { NO_MACHINE, type SelectionArguments, select } from '../shared/selection.ts';

type Shown = FleetStatus;

export async function run(context: Context, args: SelectionArguments): Promise<number> {
  const { output } = context;
  const fleet = context.fleet();
  // Without a name it is for all, like the status of most other tools.
  const chosen = args.ids?.length ? args : { ...args, all: true };
  const selection = select(context, chosen, () => fleet.listWithRunning());
  const outcomes = await fleet.statusMany(selection.targets);
  if (!output.json) {
    const shown = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value] : []));
    if (shown.length > 0) output.table([HEADINGS, ...shown.map(row)]);
    else if (selection.targets.length + selection.unknown.length === 0) output.note('info', NO_MACHINE);
    for (const { name, state, stateDetail, restart, problems, pid, lastEnd, lastReset } of shown) {
      const { meaning, severity } = stateRule(state);
      const level = severity === 'error' ? 'warning' : 'info';
      if (meaning !== undefined) output.note(level, `${name}: ${describeState(state, stateDetail)}`);
      // A guest that boots again is nothing special, but who looks for a reason has to see it.
      if (lastReset !== undefined) output.note('info', `${name}: reset without an end of QEMU, last ${lastReset}`);
      if (restart !== undefined) noteRestart(output, name, restart);
      for (const problem of problems) output.note('warning', `${name}: ${problem}`);
      if (lastEnd && (isBadEnd(lastEnd) || isPulledPlug(lastEnd))) {
        const when = pid === undefined ? '' : 'before this run, ';
        const at = lastEnd.at === undefined ? '' : `, ${lastEnd.at}`;
        output.note(isBadEnd(lastEnd) ? 'warning' : 'info', `${name}: ${when}${describeEnd(lastEnd)}${at}`);
      }
    }
  }
  return present<Shown>(context, selection, outcomes, {
    text: () => undefined,
    json: (status) => status,
    code: ({ state }) => statusExitCode(state),
  });
}

function noteRestart(output: Output, name: string, restart: RestartState): void {
  if (restart === 'pending') output.note('info', `${name}: it has ended, and systemd is about to start it again`);
  else output.note('warning', `${name}: it has ended too often and is not started again; qemu-init start ${name} does`);
}

const HEADINGS = ['NAME', 'SHORT', 'STATE', 'PID', 'SLOT', 'MONPORT', 'CTLPORT', 'VNC', 'UPTIME'];

function row(status: Shown): string[] {
  const { vnc } = status;
  return [
    status.name,
    status.shortName ?? '-',
    status.state,
    text(status.pid),
    text(status.slot),
    text(status.monitorPort),
    text(status.controlPort),
    vnc === undefined ? '-' : vnc.display === undefined ? vnc.host : `${vnc.host}:${vnc.display}`,
    status.uptimeSeconds === undefined ? '-' : uptime(status.uptimeSeconds),
  ];
}

function text(value: number | undefined): string {
  return value === undefined ? '-' : String(value);
}

/** Seconds as `1d 02:03:04`. */
export function uptime(seconds: number): string {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const days = Math.floor(seconds / 86_400);
  const clock = `${two((seconds % 86_400) / 3600)}:${two((seconds % 3600) / 60)}:${two(seconds % 60)}`;
  return days > 0 ? `${days}d ${clock}` : clock;
}
