import { existsSync } from 'node:fs';
import { delay } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import type { MachineContext, MachineRef } from '../../machine/context.ts';
import type { RestartLiveOptions, RestartLiveResult } from '../../machine/live/restart-result.ts';
import { describeEnd, readLastRun } from '../../machine/run/last-run.ts';
import { exclusively } from '../../machine/run/run-lock.ts';
import { alreadyRunning, type StartResult } from '../../machine/start/already-running.ts';
import type { LaunchMode } from '../../machine/start/launch-request.ts';
import type { Rung } from '../../machine/stop/stop-plan.ts';
import type { Paths } from '../../system/paths.ts';
import {
  generatorDir,
  invocationOf,
  isSystemdBooted,
  isUnitInstalled,
  reloadSystemd,
  type SystemctlOptions,
  systemctl,
  unitOf,
  unitProperties,
} from '../../system/services/systemd.ts';
import { hasUserUnits, userManagerOf } from '../../system/services/user-systemd.ts';
import { takeAsked, writeAsked } from './asked.ts';
import { askLive, readLiveProgress, takeLive, takeLiveAnswer } from './asked-live.ts';
import { forgetCrashes } from './crashes.ts';
import { insideUnit } from './inside-unit.ts';
import { readStartFailure, removeStartFailure } from './start-failure.ts';
import { removeStartNotices, takeStartNotices } from './start-notices.ts';
import { haveChanged } from './units/read-files.ts';
import { MACHINE_DROP_IN } from './units/unit-plan.ts';
import { unitName } from './units/unit-text.ts';

/** How the unit of a machine must start it. */
export interface UnitStartOptions extends LaunchMode {
  /** Drops a saved state. */
  readonly fresh?: boolean | undefined;
  /** How long to wait for systemd; the start in the unit has its own deadlines. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Notices that the caller has seen already, and that the start in the unit repeats. */
  readonly told?: readonly string[] | undefined;
}

/** The service manager that runs machines as units. */
export interface Services {
  /**
   * Has the manager start a machine. One that is going down is waited for; one that runs is left alone, but is a unit
   * after this.
   *
   * @throws {QemuError} what the start in the unit threw; `QEMU_LAUNCH_FAILED` for a unit that is masked or does not
   * start.
   */
  readonly start: (host: MachineContext, target: MachineRef, options: UnitStartOptions) => Promise<StartResult>;
  /**
   * Has the unit of a running machine restart it live, so that its new QEMU is where systemd has put the old one.
   *
   * @returns undefined for a machine that is not in its unit.
   * @throws {QemuError} what the restart in the unit threw.
   */
  readonly restartLive: (
    host: MachineContext,
    target: MachineRef,
    options: RestartLiveOptions,
  ) => Promise<RestartLiveResult | undefined>;
  /**
   * To be called before a machine is stopped. The returned function, called afterwards, informs the manager that the
   * machine was stopped on purpose, so that it neither starts it again nor calls it failed.
   */
  readonly stopping: (target: MachineRef) => (rung: Rung) => Promise<void>;
}

/**
 * Undefined where machines are not units: without systemd or our unit, for a user without a login, for scratch folders.
 */
export function findServices(paths: Paths): Services | undefined {
  const isRoot = paths.scope === 'system' && process.getuid?.() === 0;
  const asRoot = isRoot && isSystemdBooted() && isUnitInstalled(UNIT_FILE);
  if (!asRoot && !hasUserUnits(paths)) return undefined;
  return {
    start: startUnit,
    restartLive: restartUnitLive,
    stopping: (target) => stoppingUnit(target, userManagerOf(paths)),
  };
}

const UNIT_FILE = 'qemu@.service';

/** Why a shutdown of the host does not stop a machine as it should, although systemd runs. Undefined when it does. */
export function outsideUnit(paths: Paths, { longName }: MachineRef, pid: number): string | undefined {
  if (paths.scope === 'user' || !isSystemdBooted() || unitOf(pid) === unitName(longName)) return undefined;
  const consequence = 'a shutdown of the host is like pulling the plug of its guest';
  if (paths.scope === 'root') return `machines below --root have no unit: ${consequence}`;
  if (!isUnitInstalled(UNIT_FILE)) return `${UNIT_FILE} is not installed: ${consequence}`;
  return `QEMU (process ${pid}) is not in ${unitName(longName)}: ${consequence}`;
}

/** Longer than what the unit allows. */
const START_MS = 2 * 86_400_000;

/** systemd notices QEMU's end a moment later than we do, and until then does not restart it. */
const MOST_TURNS = 50;
const TURN_MS = 100;
const MOST_CANCELS = 2;

async function startUnit(host: MachineContext, target: MachineRef, options: UnitStartOptions): Promise<StartResult> {
  const began = performance.now();
  const beganAt = Date.now();
  const { paths } = host;
  const { timeoutMs = START_MS } = options;
  const manage = { signal: options.signal, manager: userManagerOf(paths) };
  const { signal, manager } = manage;
  const unit = unitName(target.longName);
  // A command that stops it holds the lock until it is done.
  const isBusy = alreadyRunning(target) !== undefined || existsSync(target.files.lock);
  if (isBusy) await exclusively(host, target, { purpose: 'start', signal }, async () => {});
  const alive = alreadyRunning(target);
  // That stop still reports to systemd after it has released the lock.
  let cancels = isBusy && !alive ? MOST_CANCELS : 0;
  // Only root can move a process from a session into a unit.
  if (alive && manager !== undefined) return alive;
  const wasAlive = alive !== undefined;
  forgetCrashes(paths, target.longName);
  for (let turn = 0; ; turn++) {
    const running = await runningInUnit(unit, target, manage);
    if (running) return running;
    removeStartFailure(paths, target.longName);
    removeStartNotices(paths, target.longName);
    writeAsked(paths, target.longName, askedFor(target, options));
    await takeOverChanges(paths, target, manage);
    const before = invocationOf(unit, manager);
    const { exitCode, stderr } = await runStartJob(unit, { ...manage, timeoutMs });
    takeAsked(paths, target.longName);
    for (const notice of takeStartNotices(paths, target.longName)) {
      if (!options.told?.includes(notice.message)) host.notify(notice);
    }
    const started = alreadyRunning(target);
    if (exitCode === 0 && started) {
      const seconds = Math.round(performance.now() - began) / 1000;
      return { ...started, outcome: wasAlive ? 'already-running' : 'started', seconds };
    }
    const didNothing = exitCode === 0 && before !== undefined && invocationOf(unit, manager) === before;
    const isCanceled = exitCode !== 0 && /\bcanceled\b/.test(stderr) && cancels-- > 0;
    if ((!didNothing && !isCanceled) || turn >= MOST_TURNS) {
      // It stays, for `status`.
      const failure = readStartFailure(paths, target.longName);
      throw failure ?? endedAtOnce(paths, target, beganAt) ?? unitError(unit, stderr, manager);
    }
    await delay(TURN_MS, signal);
  }
}

function askedFor(
  { shortName, configPath }: MachineRef,
  { paused, preconfig, fresh }: UnitStartOptions,
): Parameters<typeof writeAsked>[2] {
  return {
    configPath: shortName === undefined ? configPath : undefined,
    paused: paused === true,
    preconfig: preconfig === true,
    fresh: fresh === true,
  };
}

/** Whether a machine runs in its unit, and that is not about to stop it. */
async function runningInUnit(
  unit: string,
  target: MachineRef,
  manage: SystemctlOptions,
): Promise<StartResult | undefined> {
  const running = alreadyRunning(target);
  if (!running || unitOf(running.pid) !== unit) return undefined;
  const state = (await unitProperties(unit, ['ActiveState'], manage)).get('ActiveState') ?? '';
  return ['active', 'reloading', 'activating'].includes(state) ? running : undefined;
}

async function runStartJob(unit: string, manage: SystemctlOptions): Promise<{ exitCode: number; stderr: string }> {
  try {
    const { exitCode = 1, stderr } = await systemctl(['start', unit], { timeoutMs: START_MS, ...manage });
    return { exitCode, stderr };
  } catch (error) {
    // The job would go on without this process.
    const { manager } = manage;
    await systemctl(['stop', '--job-mode=ignore-dependencies', unit], { timeoutMs: START_MS, manager });
    throw error;
  }
}

/** Reloads units if needed: their limits come from the machine's file, which may just have been edited. */
async function takeOverChanges(paths: Paths, target: MachineRef, manage: SystemctlOptions): Promise<void> {
  const unit = unitName(target.longName);
  const names = ['LoadState', 'NeedDaemonReload', 'ActiveState', 'DropInPaths'];
  const shown = await unitProperties(unit, names, manage);
  if (shown.get('LoadState') === 'masked') {
    throw new QemuError('QEMU_LAUNCH_FAILED', `The unit "${unit}" is masked: an administrator has disabled its start`, {
      hint: `enable it again: systemctl unmask ${unit}`,
    });
  }
  const isNew = !(shown.get('DropInPaths') ?? '').includes(MACHINE_DROP_IN);
  const read = [paths.registryFile, paths.defaultsFile, target.configPath];
  // systemd itself compares with the file as it was when the unit was loaded, not when the generator read it.
  const isOld = (): boolean => haveChanged(generatorDir(manage.manager), read);
  if (isNew || shown.get('NeedDaemonReload') === 'yes' || isOld()) await reloadSystemd(manage);
  if (isOld()) await reloadSystemd(manage);
  // A start by hand is allowed, even after many crashes.
  if (shown.get('ActiveState') === 'failed') await systemctl(['reset-failed', unit], manage);
}

/** QEMU was up, but ended before systemd could see it: the start in the unit succeeded, but the unit failed. */
function endedAtOnce(paths: Paths, { longName }: MachineRef, sinceMs: number): QemuError | undefined {
  const end = readLastRun(paths, longName);
  if (end?.at === undefined || Date.parse(end.at) < sinceMs) return undefined;
  return new QemuError('QEMU_LAUNCH_FAILED', `QEMU ended right after its start: ${describeEnd(end)}`);
}

function unitError(unit: string, said: string, manager: string | undefined): QemuError {
  const detail = said.trim().split('\n')[0] ?? '';
  return new QemuError('QEMU_LAUNCH_FAILED', `systemd did not start "${unit}"${detail === '' ? '' : `: ${detail}`}`, {
    hint: `see: ${manager === undefined ? 'journalctl -u' : 'journalctl --user-unit'} ${unit}`,
  });
}

function stoppingUnit({ longName }: MachineRef, manager: string | undefined): (rung: Rung) => Promise<void> {
  const unit = unitName(longName);
  const before = invocationOf(unit, manager);
  return async (rung) => {
    const now = invocationOf(unit, manager);
    if (now !== undefined && now !== before && (await isStartedByHand(unit, manager))) return;
    // As without systemd, machines that require this one are not stopped with it.
    await systemctl(['stop', '--quiet', '--job-mode=ignore-dependencies', unit], { timeoutMs: START_MS, manager });
    // These leave a unit that has failed.
    if (rung === 'sigkill' || rung === 'none') await systemctl(['reset-failed', '--quiet', unit], { manager });
  };
}

/** Whether a user started this run of the unit, and not RESTART: systemd counts its restarts since then. */
async function isStartedByHand(unit: string, manager: string | undefined): Promise<boolean> {
  return (await unitProperties(unit, ['NRestarts'], { manager })).get('NRestarts') === '0';
}

/** How often to look how far the unit is. */
const FOLLOW_MS = 250;

async function restartUnitLive(
  host: MachineContext,
  target: MachineRef,
  options: RestartLiveOptions,
): Promise<RestartLiveResult | undefined> {
  const unit = unitName(target.longName);
  const { signal } = options;
  const manage = { timeoutMs: START_MS, manager: userManagerOf(host.paths) };
  const running = await runningInUnit(unit, target, { ...manage, signal });
  if (running === undefined) return undefined;
  askLive(host.paths, target.longName, options);
  const job = systemctl(['reload', unit], manage);
  // systemd.unit(5): the command of a reload is the control process; what it has begun it undoes.
  const cancel = (): void => {
    systemctl(['kill', '--kill-who=control', '--signal=SIGINT', unit], manage).catch(() => {});
  };
  signal?.addEventListener('abort', cancel);
  const follow = setInterval(() => {
    const progress = readLiveProgress(host.paths, target.longName);
    if (progress) options.onProgress?.(progress);
  }, FOLLOW_MS);
  try {
    const { stderr } = await job;
    const answer = takeLiveAnswer(host.paths, target.longName);
    for (const notice of answer?.notices ?? []) host.notify(notice);
    if (answer?.result) return answer.result;
    throw answer?.error ?? unitError(unit, stderr, manage.manager);
  } finally {
    clearInterval(follow);
    signal?.removeEventListener('abort', cancel);
    takeLive(host.paths, target.longName);
  }
}

/** While the host boots, units before this one may wait for the very script that started the machine. */
const TAKE_OVER_MS = 60_000;

/** For commands that work without systemd: makes a QEMU that they have started the main process of its unit. */
export async function moveIntoUnit(
  host: MachineContext,
  target: MachineRef,
  pid: number,
  signal?: AbortSignal,
): Promise<void> {
  const { paths } = host;
  if (paths.scope === 'user' || insideUnit(paths, target.longName)) return;
  try {
    if (outsideUnit(paths, target, pid) !== undefined)
      await findServices(paths)?.start(host, target, { signal, timeoutMs: TAKE_OVER_MS });
  } catch (error) {
    if (!(error instanceof QemuError) || error.code === 'QEMU_ABORTED') throw error;
    host.notify({ level: 'warning', machine: target.longName, message: error.message });
  }
  const problem = outsideUnit(paths, target, pid);
  if (problem !== undefined) host.notify({ level: 'warning', machine: target.longName, message: problem });
}
