import { readFileSync } from 'node:fs';
import { countDown } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import { type JobRow, parseJobs } from '../../domain/job-row.ts';
import { isThere } from '../../system/files/files.ts';
import { trimLog } from '../../system/files/log/trim-log.ts';
import type { MachinePaths } from '../../system/paths.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { channelState } from '../control/agent-channel.ts';
import { describeFailed, type FailedDrive, failedDrives, queryState } from '../control/query-state.ts';
import { type AnyMonitor, NO_PORTS, openAny } from '../control/ways.ts';
import { type MoveRecord, readMove } from '../move/move-record.ts';
import { thawLeftover } from '../quiesce/thaw.ts';
import { howEnded, type MachineEnd } from '../run/last-run.ts';
import { locate, type ProcessScan } from '../run/locate.ts';
import { type RecordedVnc, type RunRecord, readRecord } from '../run/record.ts';
import { lastReset } from '../run/run-files.ts';
import { isSaved } from '../state/saved-folder.ts';
import { settleFirst } from '../work/settle-first.ts';
import { type FullDisk, fullDisk } from './disk-room.ts';
import type { GuestAddressRow } from './guest-addresses.ts';

/** QEMU's run states (`query-status`), and what there is to say when QEMU cannot be asked. */
export type MachineState = string;

/** The status of a machine. */
export interface MachineStatus {
  readonly name: string;
  readonly shortName: string | undefined;
  /** `running`, `paused`, … as QEMU reports; `preconfig`, `unresponsive`, `dead` (killed) or `stopped`. */
  readonly state: MachineState;
  /** What keeps the guest in that state, if QEMU reports it: the disks that failed. */
  readonly stateDetail: string | undefined;
  /** Disks without room on the host that keep the guest in the state `io-error`. */
  readonly fullDisks: readonly FullDisk[];
  /** Jobs inside QEMU that have not been dismissed, such as a backup that goes on. */
  readonly jobs: readonly JobRow[];
  readonly pid: number | undefined;
  readonly slot: number | undefined;
  readonly monitorPort: number | undefined;
  readonly controlPort: number | undefined;
  readonly vnc: RecordedVnc | undefined;
  /** ISO 8601. */
  readonly startedAt: string | undefined;
  readonly uptimeSeconds: number | undefined;
  /** ISO 8601: when the guest or a command last reset the machine in this run; undefined: never. */
  readonly lastReset: string | undefined;
  readonly configPath: string;
  /** Addresses of the guest, if its agent reports them within 0.3 s. */
  readonly addresses: readonly GuestAddressRow[];
  /** Whether it is stopped with a saved state, from which the next start goes on. */
  readonly saved: boolean;
  /** What it has noted of a move that is not over, or of the place that its guest has moved to; undefined: nothing. */
  readonly move: MoveStatus | undefined;
  /** How the run before this one ended, or the last one; undefined when none did. */
  readonly lastEnd: MachineEnd | undefined;
}

/** What a machine has noted of a move; `damaged`: nobody knows any more who owns its guest. */
export type MoveStatus = Pick<MoveRecord, 'role' | 'phase' | 'peer' | 'since'> | 'damaged';

/** What the agent may cost: one that is there answers in milliseconds, and no other is asked. */
const AGENT_MS = 300;

/** Longest wait for the answer of a silent machine. */
export const LOOK_TIMEOUT_MS = 1_800;

/** What is left of it after an earlier command's leftovers. */
export const LEAST_LOOK_MS = 300;

/** The status of a machine. Never throws because of what the machine does or does not do. */
export async function machineStatus(
  host: MachineContext,
  target: MachineRef,
  scan?: ProcessScan,
): Promise<MachineStatus> {
  const left = countDown(LOOK_TIMEOUT_MS);
  await settleFirst(host, target);
  const located = locate(target.files, scan);
  const lastEnd = howEnded(host.paths, target, located);
  const { longName: name, shortName, configPath } = target;
  const base = { name, shortName, configPath, lastEnd, move: moveOf(target) };
  if (located.kind !== 'alive') {
    return {
      ...base,
      state: located.kind,
      stateDetail: undefined,
      pid: undefined,
      slot: undefined,
      monitorPort: undefined,
      controlPort: undefined,
      vnc: undefined,
      startedAt: undefined,
      uptimeSeconds: undefined,
      lastReset: undefined,
      addresses: [],
      fullDisks: [],
      jobs: [],
      saved: isSaved(target.files),
    };
  }
  const { process, record } = located;
  // No daemon runs that could do it, so each look keeps the logs of running machines within their limit.
  for (const log of [target.files.log, target.files.consoleLog]) trimLog(log);
  const startedMs = startedAt(record, process.startTime);
  const lookMs = Math.max(LEAST_LOOK_MS, left());
  const [{ failed, ...state }] = await Promise.all([
    lookAtGuest(target.files, lookMs),
    thawLeftover(host, target, lookMs),
  ]);
  return {
    ...base,
    configPath: record?.configPath ?? target.configPath,
    ...state,
    fullDisks: failed.flatMap(({ drive, reason }) =>
      reason === 'nospace' ? (fullDisk(host, target, drive) ?? []) : [],
    ),
    pid: process.pid,
    saved: false,
    // Never from the command line: a process could name any port there.
    slot: record?.slot,
    monitorPort: record?.monitorPort,
    controlPort: record?.controlPort,
    vnc: record?.vnc,
    startedAt: new Date(startedMs).toISOString(),
    uptimeSeconds: Math.max(0, Math.floor((Date.now() - startedMs) / 1000)),
    lastReset: lastReset(target.files, new Date(startedMs).toISOString()),
  };
}

function moveOf({ files }: MachineRef): MoveStatus | undefined {
  const noted = readMove(files);
  if (noted === undefined || noted === 'damaged') return noted;
  const { role, phase, peer, since } = noted;
  return { role, phase, peer, since };
}

/** The state as QEMU reports it; `unresponsive` when it does not within {@link LOOK_TIMEOUT_MS}. */
export async function askState(files: MachinePaths): Promise<MachineState> {
  return (await lookAtState(files)).state;
}

/** The same, with what keeps the guest in it. */
export async function lookAtState(files: MachinePaths, lookMs = LOOK_TIMEOUT_MS): Promise<Look> {
  return look(files, lookMs, async () => {});
}

type Look = Pick<MachineStatus, 'state' | 'stateDetail' | 'jobs'> & { readonly failed: readonly FailedDrive[] };

/** The same, with what the guest's agent reports. */
async function lookAtGuest(files: MachinePaths, lookMs: number): Promise<Look & Pick<MachineStatus, 'addresses'>> {
  const deadline = performance.now() + lookMs;
  let hasAgent = false;
  const found = await look(files, lookMs, async (client, limits) => {
    if (isThere(files.agentSocket)) hasAgent = (await channelState(client, limits)) === 'open';
  });
  const timeoutMs = Math.min(AGENT_MS, deadline - performance.now());
  if (!hasAgent || timeoutMs < 1) return { ...found, addresses: [] };
  // Loaded when there is an agent: it would slow down every look.
  const { guestAddresses } = await import('./guest-addresses.ts');
  return { ...found, addresses: await guestAddresses(files, Math.floor(timeoutMs)) };
}

/** What else to ask QEMU when the guest runs; may fail. */
type WhileRunning = (client: AnyMonitor, limits: { readonly timeoutMs: number }) => Promise<void>;

/**
 * Looks once more when there is no answer in time because this process did not come to reading it: on a host that is so
 * slow, loading our own code takes longer than the time limit.
 */
async function look(files: MachinePaths, lookMs: number, whileRunning: WhileRunning): Promise<Look> {
  const before = performance.eventLoopUtilization();
  const began = performance.now();
  const found = await lookOnce(files, lookMs, whileRunning);
  const isLate = found.state === 'unresponsive' && performance.now() - began >= lookMs;
  const waitedMs = performance.eventLoopUtilization(before).idle;
  return isLate && waitedMs < lookMs / 2 ? lookOnce(files, LOOK_TIMEOUT_MS, whileRunning) : found;
}

async function lookOnce(files: MachinePaths, lookMs: number, whileRunning: WhileRunning): Promise<Look> {
  let client: AnyMonitor | undefined;
  let state: MachineState = 'unresponsive';
  try {
    const deadline = performance.now() + lookMs;
    client = (await openAny(files, readRecord(files) ?? NO_PORTS, { timeoutMs: lookMs })).value;
    const left = (): { timeoutMs: number } => ({ timeoutMs: Math.max(1, deadline - performance.now()) });
    state = await queryState(client, left());
    const failed = state === 'io-error' ? await failedDrives(client, left()) : [];
    const jobs = await jobsNow(client, left());
    if (state === 'running') await whileRunning(client, left());
    const detail = failed.map(describeFailed).join(', ');
    return { state, stateDetail: detail === '' ? undefined : detail, failed, jobs };
  } catch {
    return { state, stateDetail: undefined, failed: [], jobs: [] };
  } finally {
    await client?.close();
  }
}

/** The human monitor has no such list, nor has a machine that is not made yet. */
async function jobsNow(client: AnyMonitor, limits: { readonly timeoutMs: number }): Promise<JobRow[]> {
  try {
    return parseJobs(await client.executeRaw('query-jobs', undefined, limits));
  } catch (error) {
    if (error instanceof QemuError && error.code === 'QEMU_QMP_REFUSED') return [];
    throw error;
  }
}

/** USER_HZ of Linux on every architecture that matters here (proc(5), sysconf(_SC_CLK_TCK)). */
const TICKS_PER_SECOND = 100;

/** Milliseconds since the epoch, from the record or else from the process's start in ticks since boot. */
export function startedAt(record: RunRecord | undefined, startTicks: string): number {
  const recorded = record ? Date.parse(record.startedAt) : Number.NaN;
  if (!Number.isNaN(recorded)) return recorded;
  const bootSeconds = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? 0);
  return (bootSeconds + Number(startTicks) / TICKS_PER_SECOND) * 1000;
}
