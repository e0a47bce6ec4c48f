import { jobProgress } from '../../../domain/job-row.ts';
import type { FleetStatus } from '../../../fleet/look/fleet-status.ts';
import type { RestartState } from '../../../fleet/service/restart-state.ts';
import { describeState, stateRule } from '../../../machine/control/run-state.ts';
import { describeMove } from '../../../machine/move/refuse-moved.ts';
import { describeEnd, describeEndShortly, isBadEnd, isPulledPlug } from '../../../machine/run/last-run.ts';
import type { Output } from '../../output/output.ts';
import { stateStyle } from '../../output/state-style.ts';
import { ago, uptime } from '../../output/times.ts';
import type { Context } from '../../run/context.ts';
import { statusExitCode } from '../../run/exit-code.ts';
import { present } from '../../shared/many.ts';
import { type SelectionArguments, select } from '../../shared/selection.ts';

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
    if (shown.length > 0) showTable(output, shown);
    for (const status of shown) noteState(output, status);
    // With all machines the table shows it briefly: otherwise old failures would fill the screen for ever.
    if (chosen.all !== true) for (const status of shown) noteEnd(output, status);
  }
  return present<Shown>(context, selection, outcomes, {
    text: () => undefined,
    json: (status) => status,
    code: ({ state }) => statusExitCode(state),
  });
}

function noteState(
  output: Output,
  { name, state, stateDetail, restart, problems, lastReset, jobs, move }: Shown,
): void {
  const { meaning, severity } = stateRule(state);
  const level = severity === 'error' ? 'warning' : 'info';
  if (meaning !== undefined) output.note(level, `${name}: ${describeState(state, stateDetail)}`);
  if (move !== undefined) output.note(move === 'damaged' ? 'warning' : 'info', `${name}: ${describeMove(move)}`);
  // A guest's reboot is nothing special, but it helps to explain what happened.
  if (lastReset !== undefined) output.note('info', `${name}: reset without restarting QEMU, last ${lastReset}`);
  for (const job of jobs) output.note('info', `${name}: job ${job.id}: ${job.type}, ${jobProgress(job)}`);
  if (restart !== undefined) noteRestart(output, name, restart);
  for (const problem of problems) output.note('warning', `${name}: ${problem}`);
}

function noteEnd(output: Output, { name, pid, lastEnd, startFailure }: Shown): void {
  if (startFailure)
    output.note('warning', `${name}: the last start failed ${ago(startFailure.at)}: ${startFailure.message}`);
  if (!lastEnd || !(isBadEnd(lastEnd) || isPulledPlug(lastEnd))) return;
  const when = pid === undefined ? '' : 'before this run, ';
  const at = lastEnd.at === undefined ? '' : `, ${ago(lastEnd.at)}`;
  output.note(isBadEnd(lastEnd) ? 'warning' : 'info', `${name}: ${when}${describeEnd(lastEnd)}${at}`);
  if (lastEnd.crash !== undefined) output.note('info', `${name}: what it printed last is in "${lastEnd.crash}"`);
}

function noteRestart(output: Output, name: string, restart: RestartState): void {
  if (restart === 'pending') output.note('info', `${name}: ended; systemd is about to start it again`);
  else
    output.note(
      'warning',
      `${name}: ended too often, so systemd does not start it again; start it: qemu-init start ${name}`,
    );
}

const HEADINGS = ['NAME', 'SHORT', 'STATE', 'PID', 'SLOT', 'MONPORT', 'CTLPORT', 'VNC', 'UPTIME'];
const OPTIONAL = ['CTLPORT', 'SLOT', 'MONPORT', 'SHORT', 'VNC', 'PID'];
const REASON = 'REASON';

function showTable(output: Output, shown: readonly Shown[]): void {
  const reasons = shown.map(reason);
  // Without problems it would be empty.
  const last = reasons.some((each) => each !== '') ? [REASON] : [];
  const rows = shown.map((status, at) => [...row(status), ...last.map(() => reasons[at] ?? '')]);
  output.table([[...HEADINGS, ...last], ...rows], { optional: OPTIONAL, cut: REASON }, stateStyle);
}

/** Why a machine does not run, where that is known. */
function reason({ pid, lastEnd, startFailure }: Shown): string {
  if (pid !== undefined) return '';
  if (startFailure) return `did not start ${ago(startFailure.at)}: ${startFailure.message}`;
  if (lastEnd === undefined) return '';
  return `${describeEndShortly(lastEnd)}${lastEnd.at === undefined ? '' : `, ${ago(lastEnd.at)}`}`;
}

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
