import { formatIssue } from '../../config/text/issues.ts';
import type { MachineRef } from '../../machine/context.ts';
import { lacks } from '../../machine/live/interim.ts';
import { describeWait } from '../../machine/observe/disk-room.ts';
import { type MachineStatus, machineStatus } from '../../machine/observe/status.ts';
import { hasJournal } from '../../machine/plug/has-journal.ts';
import { readFrozenMark } from '../../machine/quiesce/frozen-mark.ts';
import { lostHelpers } from '../../machine/run/helpers.ts';
import type { ProcessScan } from '../../machine/run/locate.ts';
import type { Machines } from '../machines.ts';
import { type RestartState, restartState } from '../service/restart-state.ts';
import { lastStartFailure, type StartFailure } from '../service/start-failure.ts';
import { describeLost } from './lost.ts';

/** The state of a machine and of its file. */
export interface FleetStatus extends MachineStatus {
  /** Whether RESTART is about to restart a machine that has ended, or has given up; undefined: neither. */
  readonly restart: RestartState | undefined;
  /** Why the last start failed, if the machine has not run since; undefined if unknown. */
  readonly startFailure: StartFailure | undefined;
  /** Mistakes in its file, and problems of the running machine. */
  readonly problems: readonly string[];
}

/** Looks at a machine and its file. @param scan of the processes of this host, made once for many machines. */
export async function fleetStatus(machines: Machines, target: MachineRef, scan: ProcessScan): Promise<FleetStatus> {
  const { host } = machines;
  const status = await machineStatus(host, target, scan);
  const { config, issues } = machines.inspect(target);
  const isDown = status.pid === undefined;
  return {
    ...status,
    restart: isDown && (config?.restart ?? 'no') !== 'no' ? await restartState(host.paths, target) : undefined,
    startFailure: isDown ? sinceEnd(status, lastStartFailure(host.paths, target.longName)) : undefined,
    problems: [
      ...issues.map(formatIssue),
      ...(isDown ? [] : await runningProblems(target)),
      ...status.fullDisks.map((disk) => describeWait(disk, target.longName)),
    ],
  };
}

async function runningProblems(target: MachineRef): Promise<string[]> {
  const lost = describeLost(target);
  return [
    ...(lost === undefined ? [] : [lost]),
    ...lostHelpers(target),
    ...lacks(target),
    ...frozenProblems(target),
    ...(hasJournal(target.files) ? await leavingOf(target) : []),
  ];
}

/** Loaded only for a machine with hardware that came or went. */
async function leavingOf(target: MachineRef): Promise<readonly string[]> {
  const { leavingProblems } = await import('../../machine/plug/leaving.ts');
  return leavingProblems(target);
}

/** That a user has frozen the guest, which may be forgotten. */
function frozenProblems({ files, longName }: MachineRef): string[] {
  const mark = readFrozenMark(files);
  if (mark?.isWished !== true) return [];
  return [`its file systems have been frozen since ${mark.since}; thaw them: qemu-init agent ${longName} thaw`];
}

/** The last failed start, unless the machine has run since. */
function sinceEnd({ lastEnd }: MachineStatus, failure: StartFailure | undefined): StartFailure | undefined {
  return failure === undefined || (lastEnd?.at ?? '') > failure.at ? undefined : failure;
}
