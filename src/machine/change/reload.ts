import { QemuError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import { withLock } from '../../system/lock/lock.ts';
import type { ProcessInfo } from '../../system/process/process.ts';
import type { ArgvRequest } from '../argv/request.ts';
import { type MachineContext, type MachineRef, notRunning } from '../context.ts';
import { withOwnMonitor } from '../control/control-port.ts';
import { refuseWhileStateIsTaken } from '../plug/as-started.ts';
import { converge } from '../plug/converge.ts';
import { type Difference, findDifference, type KeyDifference } from '../plug/difference.ts';
import { observe } from '../plug/observe.ts';
import { lookInside } from '../plug/reality.ts';
import type { Running } from '../plug/running.ts';
import { notedState } from '../plug/state.ts';
import { removeEmptyFolder } from '../run/clean-up.ts';
import { locate } from '../run/locate.ts';
import { previewRequest, previewStart } from '../start/launch-request.ts';
import { resolveRunAs } from '../start/run-as.ts';
import { refuseDuringWork } from '../work/do-work.ts';

/** How long a change of a running machine may take. */
export interface ReloadOptions {
  /** How long the guest has to release devices (default: 30 s). */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a reload has done. */
export interface ReloadResult {
  /** Keys whose new values were applied to the running machine, such as `CDR1`. */
  readonly applied: readonly string[];
}

/** QEMU answers in a millisecond; one that is busy with a slow disk may take seconds. */
const ANSWER_MS = 10_000;
const RELEASE_MS = 30_000;

/**
 * Makes a running machine what its configuration says: disks, discs, cards and USB devices are plugged in, unplugged
 * and changed. What is only read when the machine stops, such as STOPDELAY, needs no reload.
 *
 * @throws {QemuError} `QEMU_NOT_RUNNING`; `QEMU_NOT_IMPLEMENTED`, with nothing changed, when something needs a restart;
 * `QEMU_TIMEOUT` when the guest does not release a device, with everything else done; `QEMU_LOCKED`, `QEMU_ABORTED`.
 */
export async function reloadMachine(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  options: ReloadOptions = {},
): Promise<ReloadResult> {
  return whilePlugging(target, 'reload', options, (process) =>
    applyConfig(host, target, process, { config, ...options }),
  );
}

/** What a running machine is to become. */
export interface Application extends ReloadOptions {
  readonly config: MachineConfig;
  /** Keys that are changed; undefined: all that are different. */
  readonly only?: ReadonlySet<string> | undefined;
}

/** Makes a running machine what a configuration says. To be called in {@link whilePlugging}. @throws {QemuError} */
export async function applyConfig(
  host: MachineContext,
  target: MachineRef,
  process: ProcessInfo,
  { config, only, timeoutMs = RELEASE_MS, signal }: Application,
): Promise<ReloadResult> {
  const { request, prepared } = await previewStart(host, target, config);
  const user = await resolveRunAs(config, request.accelerator);
  const noted = await notedState(host, target, process);
  const work = await otherWork(host, target, signal);
  const limits = { timeoutMs: ANSWER_MS, signal };
  return withOwnMonitor(host, target, limits, (client) => {
    const images = prepared.images;
    const context = { host, target, process, client, request, images, config, user, only, work, ...limits };
    return converge(context, noted, timeoutMs);
  });
}

/**
 * Does something while no other command plugs and unplugs devices of a machine.
 *
 * @throws {QemuError} `QEMU_NOT_RUNNING`, `QEMU_LOCKED`, `QEMU_ABORTED`, and what `body` throws.
 */
export async function whilePlugging<T>(
  target: MachineRef,
  purpose: string,
  { timeoutMs = RELEASE_MS, signal }: ReloadOptions,
  body: (process: ProcessInfo) => Promise<T>,
): Promise<T> {
  const process = runningProcess(target);
  try {
    // Another command may wait for the guest as long as this one would.
    const lock = { timeoutMs: timeoutMs + RELEASE_MS, signal, purpose };
    return await withLock(target.files.plugLock, lock, () => {
      refuseWhileStateIsTaken(target);
      return body(process);
    });
  } finally {
    removeEmptyFolder(target.files);
  }
}

/** Work on disks that is not over, as the error of a command that would disturb it. */
async function otherWork(
  host: MachineContext,
  target: MachineRef,
  signal: AbortSignal | undefined,
): Promise<QemuError | undefined> {
  try {
    await refuseDuringWork(host, target, signal);
    return undefined;
  } catch (error) {
    if (error instanceof QemuError && error.code === 'QEMU_LOCKED') return error;
    throw error;
  }
}

/** What a running machine consists of. @throws {QemuError} */
export async function runningState(
  host: MachineContext,
  target: MachineRef,
  process: ProcessInfo,
  signal: AbortSignal | undefined,
): Promise<Running> {
  const noted = await notedState(host, target, process);
  const limits = { timeoutMs: ANSWER_MS, signal };
  return withOwnMonitor(
    host,
    target,
    limits,
    async (client) => observe(noted, await lookInside(client, limits)).running,
  );
}

/**
 * What a reload would do: the keys whose values are not those that the machine runs with. Changes nothing.
 *
 * @throws {QemuError} `QEMU_NOT_RUNNING`; `QEMU_NOT_IMPLEMENTED` when it is not known what the machine was started with.
 */
export async function diffMachine(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  signal?: AbortSignal,
): Promise<readonly KeyDifference[]> {
  const process = runningProcess(target);
  const request = await previewRequest(host, target, config);
  return (await differenceNow(host, target, process, request, signal)).differences;
}

async function differenceNow(
  host: MachineContext,
  target: MachineRef,
  process: ProcessInfo,
  request: ArgvRequest,
  signal: AbortSignal | undefined,
): Promise<Difference> {
  const noted = await notedState(host, target, process);
  const limits = { timeoutMs: ANSWER_MS, signal };
  return withOwnMonitor(host, target, limits, async (client) => {
    const reality = await lookInside(client, limits);
    return findDifference(host, request, observe(noted, reality).running, { ...reality, pid: process.pid });
  });
}

function runningProcess(target: MachineRef): ProcessInfo {
  const located = locate(target.files);
  if (located.kind !== 'alive') throw notRunning(target);
  return located.process;
}
