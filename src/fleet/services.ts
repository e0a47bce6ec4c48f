import { QemuError } from '../errors.ts';
import type { Target } from '../machine/host.ts';
import { locate } from '../machine/locate.ts';
import { readRecord } from '../machine/record.ts';
import type { StartResult } from '../machine/start.ts';
import type { Paths } from '../system/paths.ts';
import {
  isSystemdBooted,
  isUnitInstalled,
  moveIntoOwnUnit,
  reloadSystemd,
  systemctl,
  unitOf,
} from '../system/systemd.ts';
import { readStartFailure, removeStartFailure, writeStartFailure } from './start-failure.ts';
import { stopTimeoutSeconds, UNIT_STOP_SECONDS } from './units/limits.ts';
import { MACHINE_DROP_IN } from './units/plan.ts';
import { unitName } from './units/unit-text.ts';

/** The service manager, as far as machines are its units. */
export interface Services {
  /**
   * Has the manager start a machine that does not run, and that is found by its long name.
   *
   * @throws {QemuError} what the start in the unit threw.
   */
  readonly start: (target: Target, signal: AbortSignal | undefined) => Promise<StartResult>;
  /** Tells the manager that the machine was stopped on purpose: it is not to start it again, nor to call it failed. */
  readonly settle: (target: Target) => Promise<void>;
}

/** Undefined where machines are no units: without systemd, without our unit, for users and scratch folders. */
export function findServices(paths: Paths): Services | undefined {
  if (paths.scope !== 'system' || process.getuid?.() !== 0) return undefined;
  if (!isSystemdBooted() || !isUnitInstalled('qemu@.service')) return undefined;
  return { start: (target, signal) => startUnit(paths, target, signal), settle: settleUnit };
}

/** The start in the unit has deadlines of its own; this is longer than what the unit allows. */
const START_MS = 2 * 86_400_000;

async function startUnit(paths: Paths, target: Target, signal: AbortSignal | undefined): Promise<StartResult> {
  const began = performance.now();
  const unit = unitName(target.longName);
  removeStartFailure(paths, target.longName);
  await takeOverChanges(unit, target, signal);
  let result: Awaited<ReturnType<typeof systemctl>>;
  try {
    result = await systemctl(['start', unit], { timeoutMs: START_MS, signal });
  } catch (error) {
    // The job goes on without the one who asked for it.
    await systemctl(['stop', '--job-mode=ignore-dependencies', unit], { timeoutMs: START_MS });
    throw error;
  }
  const located = locate(target.files);
  if (result.exitCode !== 0 || located.kind !== 'alive') {
    const failure = readStartFailure(paths, target.longName);
    removeStartFailure(paths, target.longName);
    throw failure ?? unitError(unit, result.stderr);
  }
  const { record, process } = located;
  return {
    outcome: 'started',
    pid: process.pid,
    slot: record?.slot,
    monitorPort: record?.monitorPort,
    controlPort: record?.controlPort,
    vnc: record?.vnc,
    seconds: Math.round(performance.now() - began) / 1000,
  };
}

/** The unit's limits are made of the machine's file, which may just have been edited. */
async function takeOverChanges(unit: string, target: Target, signal: AbortSignal | undefined): Promise<void> {
  const { stdout } = await systemctl(['show', '--property=NeedDaemonReload,ActiveState,DropInPaths', unit], { signal });
  const isNew = target.shortName !== undefined && !stdout.includes(MACHINE_DROP_IN);
  if (isNew || stdout.includes('NeedDaemonReload=yes')) await reloadSystemd(signal);
  // Who starts it by hand means it, however often it has ended by itself.
  if (stdout.includes('ActiveState=failed')) await systemctl(['reset-failed', unit], { signal });
}

function unitError(unit: string, said: string): QemuError {
  const detail = said.trim().split('\n')[0] ?? '';
  return new QemuError('QEMU_LAUNCH_FAILED', `systemd did not start "${unit}"${detail === '' ? '' : `: ${detail}`}`, {
    hint: `see: journalctl -u ${unit}; or go without systemd: --direct`,
  });
}

async function settleUnit({ longName }: Target): Promise<void> {
  const unit = unitName(longName);
  // Machines that require this one are not stopped with it, as they are not without systemd.
  await systemctl(['stop', '--quiet', '--job-mode=ignore-dependencies', unit], { timeoutMs: START_MS });
  await systemctl(['reset-failed', '--quiet', unit]);
}

/** What a start inside of the machine's own unit does besides. */
export interface InsideUnit {
  /**
   * It succeeded: a QEMU that was started outside of the unit becomes its main process, and the unit's time to stop is the
   * machine's.
   */
  readonly started: (target: Target, pid: number, signal: AbortSignal) => Promise<void>;
  /** Leaves word of why it failed. */
  readonly failed: (error: unknown) => void;
}

/** Undefined when this process is not in the unit of the machine. */
export function insideUnit(paths: Paths, longName: string): InsideUnit | undefined {
  if (paths.scope !== 'system') return undefined;
  const unit = unitName(longName);
  if (unitOf('self') !== unit) return undefined;
  return {
    started: async ({ shortName, files }, pid, signal) => {
      removeStartFailure(paths, longName);
      if (unitOf(pid) !== unit) moveIntoOwnUnit(pid);
      // The generator knows a machine that is not registered only by its run.
      const stop = shortName === undefined ? readRecord(files)?.stop : undefined;
      if (stop && stopTimeoutSeconds(stop) > UNIT_STOP_SECONDS) await reloadSystemd(signal);
    },
    failed: (error) => writeStartFailure(paths, longName, error),
  };
}
