import { renderMachineConfig } from '../../config/render-machine.ts';
import type { MachineConfig } from '../../config/types.ts';
import { ensureDir } from '../../system/files/files.ts';
import { markLog } from '../../system/files/log/log-mark.ts';
import { trimLog } from '../../system/files/log/trim-log.ts';
import { qemuEnvironment } from '../../system/process/environment.ts';
import { bootId } from '../../system/process/process.ts';
import { type Allocation, VNC_BASE_PORT } from '../allocation.ts';
import { buildArgs, describeMachine } from '../argv/build.ts';
import { vncDisplay } from '../argv/display.ts';
import { renderOption } from '../argv/render/argv.ts';
import type { ArgvRequest } from '../argv/request.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { writeTlsFiles } from '../control/port-tls.ts';
import { hostNodes } from '../host-devices/host-nodes.ts';
import { whileLent } from '../host-devices/lend-nodes.ts';
import { limitPrefix } from '../limits/limit-prefix.ts';
import { logEnd } from '../run/last-run.ts';
import { writeLaunchRecord } from '../run/launch-record.ts';
import { type RecordedVnc, type RunRecord, writeRecord } from '../run/record.ts';
import { stopSettingsOf } from '../run/stop-settings.ts';
import { checkOpened } from '../share/shared-folder.ts';
import { type Loaded, loadSaved } from '../state/load.ts';
import type { SavedRecord } from '../state/saved-record.ts';
import { removeKeys, writeKeys } from '../storage/image-keys.ts';
import { ensureVariables } from './firmware.ts';
import { type Launched, launch } from './launch.ts';
import { makeRequest, type StartOptions } from './launch-request.ts';
import { ensureOwnUser } from './own-user.ts';
import { addFdArguments } from './passed-fd.ts';
import type { Prepared } from './prepare.ts';
import { handOver, prefixOf, resolveRunAs } from './run-as.ts';
import { incomingRequest } from './saved-start.ts';
import { startHelpers } from './start-helpers.ts';
import { StateDescriptor } from './state-descriptor.ts';
import { surroundingsPrefix } from './surroundings.ts';
import { claimImages } from './use-images.ts';
import { setVncPassword } from './vnc-password.ts';

/** QEMU answers in 40 ms; memory that has to be touched first takes about a second a GiB on a slow host. */
const READY_TIMEOUT_MS = 60_000;
const READY_MS_PER_GIB = 1_000;

/** A QEMU that answers, and what became of its saved state. */
export interface Up {
  readonly launched: Launched;
  readonly record: RunRecord;
  /** Undefined: it had none. */
  readonly loaded: Loaded | undefined;
}

/** What a guest was started on that is to arrive from another QEMU. */
export type Arriving = Pick<SavedRecord, 'machineType' | 'args'>;

/** A start, and the saved state that its guest goes on from. */
export interface Launching extends StartOptions {
  readonly saved: SavedRecord | undefined;
  readonly arriving?: Arriving | undefined;
}

/** Launches QEMU with ports that are claimed. */
export async function launchWith(
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

/** Descriptors 0, 1 and 2 are standard input, output and error. */
const FIRST_FD = 3;
