import { LaunchError } from '../../base/errors.ts';
import { renderMachineConfig } from '../../config/render-machine.ts';
import type { MachineConfig } from '../../config/types.ts';
import { ensureDir } from '../../system/files/files.ts';
import { markLog } from '../../system/files/log-mark.ts';
import { trimLog } from '../../system/files/trim-log.ts';
import { qemuEnvironment } from '../../system/process/environment.ts';
import type { DetachedProcess } from '../../system/process/launch-process.ts';
import { bootId, type ProcessInfo, sendSignal, waitForExit } from '../../system/process/process.ts';
import { type Allocation, NO_SLOT, VNC_BASE_PORT } from '../allocation.ts';
import { buildArgs, describeMachine } from '../argv/build.ts';
import { vncDisplay } from '../argv/display.ts';
import { renderOption } from '../argv/render/argv.ts';
import type { ArgvRequest } from '../argv/request.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { writeTlsFiles } from '../control/port-tls.ts';
import { withCurrentDisks } from '../disks/current-disks.ts';
import { runHook } from '../hooks.ts';
import { hostNodes } from '../host-devices/host-nodes.ts';
import { whileLent } from '../host-devices/lend-nodes.ts';
import { limitPrefix } from '../limits/limit-prefix.ts';
import { refuseMoved } from '../move/refuse-moved.ts';
import { thawLeftover } from '../quiesce/thaw.ts';
import { cleanUp } from '../run/clean-up.ts';
import { logEnd } from '../run/last-run.ts';
import { writeLaunchRecord } from '../run/launch-record.ts';
import { goneOf, locate } from '../run/locate.ts';
import { type RecordedVnc, type RunRecord, readRecord, writeRecord } from '../run/record.ts';
import { exclusively } from '../run/run-lock.ts';
import { claimSlot } from '../run/slots.ts';
import { stopSettingsOf } from '../run/stop-settings.ts';
import { checkOpened } from '../share/shared-folder.ts';
import { refuseHalfReverted } from '../snapshot/half-reverted.ts';
import { forgetSpent, type Loaded, loadError, loadSaved, putBack } from '../state/load.ts';
import { moveSaved } from '../state/saved-folder.ts';
import type { SavedRecord } from '../state/saved-record.ts';
import { removeKeys, writeKeys } from '../storage/image-keys.ts';
import { refuseWhileAtWork, settleFirst } from '../work/settle-first.ts';
import { type StartResult, startFacts } from './already-running.ts';
import { ensureVariables } from './firmware.ts';
import { type Launched, launch } from './launch.ts';
import { type LaunchMode, makeRequest, usesSlotDisplay } from './launch-request.ts';
import { ensureOwnUser } from './own-user.ts';
import { addFdArguments, type PassedFd } from './passed-fd.ts';
import { type Prepared, prepare } from './prepare.ts';
import { recoverStart } from './recover-start.ts';
import { handOver, prefixOf, resolveRunAs } from './run-as.ts';
import { dropForFresh, incomingRequest, isHalfLoaded, savedStart, setGuestClock } from './saved-start.ts';
import { startHelpers } from './start-helpers.ts';
import { StateDescriptor } from './state-descriptor.ts';
import { surroundingsPrefix } from './surroundings.ts';
import { claimImages, noteImages, refuseStorageInUse } from './use-images.ts';
import { setVncPassword } from './vnc-password.ts';

/** How to start a machine. */
export interface StartOptions extends LaunchMode {
  readonly signal?: AbortSignal | undefined;
  /** Open descriptors that QEMU gets in fd sets. */
  readonly fds?: readonly PassedFd[] | undefined;
  /** Called with QEMU's process as soon as there is one; again when a port was lost and it is started anew. */
  readonly onSpawn?: ((process: DetachedProcess) => void) | undefined;
  /** Called when QEMU answers, before POSTCMD; also for a machine that runs already. */
  readonly onUp?: ((up: { readonly pid: number }) => Promise<void>) | undefined;
  /** Drops a saved state, instead of going on from it. */
  readonly fresh?: boolean | undefined;
  /** Also one that has moved away, or was not released by where it comes from: its guest runs nowhere else, for sure. */
  readonly iKnow?: boolean | undefined;
  /** An interrupted start leaves a QEMU that was begun, whose guest may run: the caller stops it by the ladder. */
  readonly keepInterrupted?: boolean | undefined;
}

/** Ports that turn out to be taken after they were found free; past this many something else is wrong. */
const MOST_SLOT_TRIES = 50;

/** QEMU answers in 40 ms; memory that has to be touched first takes about a second a GiB on a slow host. */
const READY_TIMEOUT_MS = 60_000;
const READY_MS_PER_GIB = 1_000;

/**
 * Starts a machine and returns when its QEMU answers. One that runs already is left alone. Whatever goes wrong is
 * undone before this throws.
 *
 * @throws {ConfigError} when something that the configuration names is wrong on this host.
 * @throws {LaunchError} when QEMU does not come up.
 * @throws {QemuError} `QEMU_NOT_INSTALLED`, `QEMU_COMMAND_FAILED` for a failing PRECMD, `QEMU_ABORTED`, `QEMU_LOCKED`.
 */
export async function startMachine(
  host: MachineContext,
  target: MachineRef,
  given: MachineConfig,
  options: StartOptions = {},
): Promise<StartResult> {
  const began = performance.now();
  let config = given;
  const seconds = (): number => Math.round(performance.now() - began) / 1000;
  let hasAgent = false;
  const result = await exclusively(host, target, { purpose: 'start', signal: options.signal }, async () => {
    await settleFirst(host, target);
    refuseMoved(target, 'start');
    config = withCurrentDisks(host, target, given);
    let located = locate(target.files);
    if (located.kind === 'alive' && isHalfLoaded(target, located.record, located.process)) {
      await killProcess(located.process);
      located = goneOf(target.files, located.record);
    }
    if (located.kind === 'alive') {
      const record = await recoverStart(target, config, located, options.signal);
      await thawLeftover(host, target);
      forgetSpent(target);
      return { outcome: 'already-running' as const, restored: false, ...startFacts(located.process.pid, record) };
    }
    refuseWhileAtWork(target);
    refuseHalfReverted(target);
    await cleanUp(host, target, located);
    const { pid, record, loaded } = await startFresh(host, target, config, options);
    hasAgent = loaded?.hasAgent === true;
    return { outcome: 'started' as const, restored: loaded !== undefined, ...startFacts(pid, record) };
  });
  await options.onUp?.(result);
  if (hasAgent) await setGuestClock(host, target, options.signal);
  // Without the lock: the guest runs, and a stop must not wait for a slow command.
  if (result.outcome === 'started') await runPostCommand(host, target, config, result.pid, options.signal);
  return { ...result, seconds: seconds() };
}

/**
 * Starts the QEMU that a guest is to arrive at from another one; it waits for that, and the guest does not run then
 * (`-incoming defer -S`). Under the machine's lock, of a machine that does not run. Whatever goes wrong is undone.
 *
 * @throws {ConfigError | LaunchError | QemuError} as {@link startMachine}.
 */
export async function startForArrival(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  arriving: Arriving,
  options: Pick<StartOptions, 'signal' | 'onSpawn'>,
): Promise<{ readonly pid: number }> {
  return startFresh(host, target, config, { ...options, arriving });
}

/**
 * Starts a second QEMU of a machine that runs, which its guest is to go on in; it waits for that. Under the machine's
 * lock. What it leaves when it fails is the caller's.
 *
 * @param target with the files of the second one.
 * @returns its record, which is written.
 * @throws {LaunchError | QemuError} as {@link startMachine}.
 */
export async function startBeside(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  prepared: Prepared,
  { allocation, arriving, signal }: { allocation: Allocation; arriving: Arriving; signal: AbortSignal },
): Promise<RunRecord> {
  const { record } = await launchWith(host, target, config, prepared, allocation, {
    saved: undefined,
    arriving,
    signal,
  });
  writeRecord(target.files, record);
  return record;
}

async function startFresh(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  options: StartOptions & { readonly arriving?: Arriving | undefined },
): Promise<Omit<Up, 'launched'> & { readonly pid: number }> {
  const { signal } = options;
  const prepared = await prepare(host, config, target.files, signal);
  refuseStorageInUse(host, config);
  const saved = options.arriving ? undefined : await savedStart(host, target, config, prepared, options);
  try {
    await runHook(host, target, 'PRECMD', config.preCommand, { cwd: config.dir, signal });
    noteImages(host, target, prepared.images);
    if (options.fresh === true) dropForFresh(host, target);
    if (saved) moveSaved(target.files, 'saved', 'loading');
    const { launched, record, loaded } = await launchInSlot(host, target, config, prepared, { ...options, saved });
    writeRecord(target.files, record);
    forgetSpent(target);
    return { pid: launched.pid, record, loaded };
  } catch (error) {
    const { kind } = locate(target.files);
    if (options.keepInterrupted && signal?.aborted && kind === 'alive') throw error;
    await undo(host, target, config);
    if (saved) putBack(target);
    throw saved ? loadError(target, error) : error;
  }
}

/** A QEMU that answers, and what became of its saved state. */
interface Up {
  readonly launched: Launched;
  readonly record: RunRecord;
  /** Undefined: it had none. */
  readonly loaded: Loaded | undefined;
}

/** What a guest was started on that is to arrive from another QEMU. */
export type Arriving = Pick<SavedRecord, 'machineType' | 'args'>;

/** A start, and the saved state that its guest goes on from. */
interface Launching extends StartOptions {
  readonly saved: SavedRecord | undefined;
  readonly arriving?: Arriving | undefined;
}

/** Ends what a start that failed has begun: its QEMU, what was made for it, and what PRECMD has started. */
async function undo(host: MachineContext, target: MachineRef, config: MachineConfig): Promise<void> {
  const located = locate(target.files);
  if (located.kind === 'alive') await killProcess(located.process);
  await cleanUp(host, target, goneOf(target.files, located.record));
  try {
    const detail = { cwd: config.dir, reason: 'start-failed', timeoutMs: UNDO_TIMEOUT_MS } as const;
    await runHook(host, target, 'POSTSTOP', config.postStop, detail);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    host.notify({ level: 'warning', machine: target.longName, message });
  }
}

/** For POSTSTOP after a failed start: the caller waits for it. */
const UNDO_TIMEOUT_MS = 30_000;

/** Launches QEMU; when a port was lost to another program in between, in the next slot. */
async function launchInSlot(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  prepared: Prepared,
  options: Launching,
): Promise<Up> {
  const skip = new Set<number>();
  for (;;) {
    const allocation = await allocate(host, target, config, skip, options.signal);
    try {
      return await launchWith(host, target, config, prepared, allocation, options);
    } catch (error) {
      const { slot } = allocation;
      if (slot === undefined || skip.size >= MOST_SLOT_TRIES || !isPortLost(error, config)) throw error;
      skip.add(slot);
      await cleanUp(host, target, goneOf(target.files, readRecord(target.files)), { slot });
      host.notify({
        level: 'info',
        machine: target.longName,
        message: `a port of slot ${slot} was taken: trying the next`,
      });
    }
  }
}

/** QEMU's words for EADDRINUSE. A display that the configuration fixes is none of the slot's. */
function isPortLost(error: unknown, config: MachineConfig): boolean {
  if (!(error instanceof LaunchError)) return false;
  const lines = error.output
    .split('\n')
    .filter((line) => /Address already in use|Failed to find an available port/.test(line));
  return lines.some((line) => usesSlotDisplay(config) || !line.includes('-vnc '));
}

async function allocate(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  skip: ReadonlySet<number>,
  signal: AbortSignal | undefined,
): Promise<Allocation> {
  const allocation = await claimSlot(host, {
    longName: target.longName,
    usesVnc: usesSlotDisplay(config),
    skip,
    signal,
  });
  if (allocation === NO_SLOT) {
    host.notify({
      level: 'warning',
      machine: target.longName,
      message: 'no slot is free: the machine has no monitor ports and no VNC display, only its own socket',
    });
  } else {
    const { slot, monitorPort, controlPort } = allocation;
    const ports = monitorPort === undefined ? 'no ports' : `ports ${monitorPort} and ${controlPort}`;
    host.notify({ level: 'debug', machine: target.longName, message: `slot ${slot}, ${ports}` });
  }
  return allocation;
}

async function launchWith(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  prepared: Prepared,
  allocation: Allocation,
  options: Launching,
): Promise<Up> {
  const { files } = target;
  const step = (level: 'debug' | 'trace', message: string): void =>
    host.notify({ level, machine: target.longName, message });
  const { saved, arriving } = options;
  const plain = await makeRequest(host, target, config, prepared, allocation, { ...options, lease: true });
  const from = arriving ?? saved;
  const request = from ? incomingRequest(plain, from) : plain;
  if (process.getuid?.() === 0) await ensureOwnUser(config);
  const user = await resolveRunAs(config, prepared.accelerator);
  claimImages(host, config, user);
  // Others pass through to their own console log, which QEMU opens itself; what is there they cannot list.
  ensureDir(host.paths.logDir, 0o711);
  trimLog(files.log);
  trimLog(files.consoleLog);
  let record: RunRecord = {
    phase: 'starting',
    name: target.longName,
    configPath: target.configPath,
    pid: undefined,
    pidStartTime: undefined,
    bootId: bootId(),
    helpers: [],
    uid: user?.uid ?? process.geteuid?.(),
    gid: user?.gid,
    executable: undefined,
    slot: allocation.slot,
    monitorPort: allocation.monitorPort,
    controlPort: allocation.controlPort,
    tls: request.tls,
    vnc: recordedVnc(request),
    startedAt: new Date().toISOString(),
    preconfig: request.preconfig,
    consoleLog: markLog(files.consoleLog),
    stop: stopSettingsOf(config),
  };
  // Before anything is made: a command that is killed from here on leaves a trace that the next one follows.
  writeRecord(files, record);
  if (request.tls) writeTlsFiles(files);
  writeKeys(config, files);
  if (config.cloudInit !== undefined) (await import('../seed/seed.ts')).writeSeed(config, files);
  await ensureVariables(request.config, files, options.signal);
  ensureDir(files.qemuDir, 0o700);
  handOver(files, user, request.firmware?.variables);
  const sockets = [...(await host.network.setUp(config, { logPath: files.log, signal: options.signal }))];
  let loaded: Loaded | undefined;
  const state = saved && new StateDescriptor(files, prepared.probe.migration.has('mapped-ram'));
  try {
    const limits = await limitPrefix(host, config, options.signal);
    const surroundings = [...limits.pin, ...(await surroundingsPrefix(host.paths, config, files, user))];
    const prefix = [...limits.scope, ...surroundings, ...prefixOf(config, user)];
    await startHelpers(config, files, { surroundings, user, signal: options.signal }, ({ process, socket }) => {
      sockets.push(socket);
      record = { ...record, helpers: [...record.helpers, process] };
      writeRecord(files, record);
      step('debug', `${process.program} is process ${process.pid}`);
    });
    const passed = options.fds ?? [];
    const more = addFdArguments(passed, FIRST_FD + sockets.length);
    const stateFd = FIRST_FD + sockets.length + passed.length;
    const qemuOptions = [...buildArgs(request), ...more, ...(state?.args(stateFd) ?? [])];
    const argv = [...prefix, request.binary, ...qemuOptions];
    // How it is loaded is not part of what it is.
    const parts = describeMachine(plain);
    const args = [...parts.flatMap((part) => renderOption(part).args), ...more];
    writeLaunchRecord(files, { binary: request.binary, args, config: renderMachineConfig(config), parts });
    step('trace', argv.join(' '));
    const began = performance.now();
    const launched = await whileLent(files, user, hostNodes(config), () =>
      launch({
        argv,
        binary: request.binary,
        runAs: config.runAs,
        cwd: config.dir,
        env: qemuEnvironment({ argv, asCaller: user === undefined, more: { QEMU_INIT_RUN: host.paths.runDir } }),
        files,
        timeoutMs: READY_TIMEOUT_MS + (config.memoryBytes / 1024 ** 3) * READY_MS_PER_GIB,
        signal: options.signal,
        keepInterrupted: options.keepInterrupted,
        fds: [...sockets, ...passed.map(({ fd }) => fd), ...(state ? [state.fd] : [])],
        onAnswer: async (client) => {
          await logEnd(client, options.signal);
          // Before the machine is made QEMU refuses it, and lets nobody in meanwhile.
          if (!request.preconfig) await setVncPassword(config, client);
          const stayPaused = options.paused === true;
          if (state)
            loaded = await loadSaved(target, client, { uri: state.uri(stateFd), stayPaused, signal: options.signal });
        },
        onSpawn: (process) => {
          record = { ...record, pid: process.pid, pidStartTime: process.startTime };
          writeRecord(files, record);
          step('debug', `QEMU is process ${process.pid}`);
          options.onSpawn?.(process);
        },
      }),
    );
    step('debug', `QEMU answers after ${Math.round(performance.now() - began) / 1000} s`);
    const { pid, startTime, executable } = launched;
    // With --preconfig it has opened none.
    if (!request.preconfig) await checkOpened(config, user, pid);
    const running = { ...record, phase: 'running', pid, pidStartTime: startTime, executable } as const;
    return { launched, record: running, loaded };
  } finally {
    state?.close();
    removeKeys(files);
    // What serves the other end is to see the end when QEMU ends.
    for (const socket of sockets) socket.destroy();
  }
}

function recordedVnc(request: ArgvRequest): RecordedVnc | undefined {
  const { vnc } = request.config;
  if (vnc.kind === 'off') return undefined;
  if (vnc.kind === 'unix') return { host: request.machine.vncSocket, display: undefined, port: undefined };
  const display = vncDisplay(request);
  return display === undefined ? undefined : { host: vnc.host, display, port: VNC_BASE_PORT + display };
}

export async function runPostCommand(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  pid: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await runHook(host, target, 'POSTCMD', config.postCommand, { cwd: config.dir, pid, signal });
  } catch (error) {
    // The guest runs by now: ending it because of this would lose more than it saves.
    const message = error instanceof Error ? error.message : String(error);
    host.notify({ level: 'warning', machine: target.longName, message });
  }
}

async function killProcess({ pid, startTime }: Pick<ProcessInfo, 'pid' | 'startTime'>): Promise<void> {
  if (sendSignal(pid, startTime, 'SIGKILL')) await waitForExit(pid, startTime, KILL_TIMEOUT_MS);
}

const KILL_TIMEOUT_MS = 10_000;

/** Descriptors 0, 1 and 2 are standard input, output and error. */
const FIRST_FD = 3;
