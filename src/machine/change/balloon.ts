import { delay } from '../../base/abort.ts';
import { QemuError, QmpRefusedError } from '../../base/errors.ts';
import { asNumber, asRecord } from '../../base/guards.ts';
import { renderSize } from '../../config/text/values.ts';
import type { QmpClient } from '../../qmp/client.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { withOwnMonitor } from '../control/control-port.ts';

/** How long to wait for the guest. */
export interface BalloonOptions {
  /** Milliseconds (default: 30 s). */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The memory of a guest. */
export interface BalloonResult {
  /** What the guest has, by its own account. */
  readonly actualBytes: number;
  /** What the machine has (RAM), with what was plugged in. */
  readonly memoryBytes: number;
}

const ANSWER_MS = 10_000;
const WAIT_MS = 30_000;
const PAUSE_MS = 250;
const MIB = 1024 ** 2;
/** Less kills any guest of today. */
const LEAST_BYTES = 16 * MIB;

/**
 * How much memory the guest of a running machine has.
 *
 * @throws {QemuError} `QEMU_CONFIG_INVALID` without a balloon (BALLOON=off); `QEMU_NOT_RUNNING`, `QEMU_TIMEOUT`,
 * `QEMU_ABORTED`.
 */
export function readBalloon(
  host: MachineContext,
  target: MachineRef,
  { signal }: BalloonOptions = {},
): Promise<BalloonResult> {
  const limits = { timeoutMs: ANSWER_MS, signal };
  return withOwnMonitor(host, target, limits, (client) => ask(client, target, signal));
}

/**
 * Has the guest give memory back to the host, or take it again, up to that of the machine; waits until it has.
 *
 * @throws {QemuError} as {@link readBalloon}; `QEMU_USAGE` for less than 16 MiB or more than the machine has;
 * `QEMU_TIMEOUT` when the guest has not done it in time, which it may still do.
 */
export async function setBalloon(
  host: MachineContext,
  target: MachineRef,
  bytes: number,
  { timeoutMs = WAIT_MS, signal }: BalloonOptions = {},
): Promise<BalloonResult> {
  const limits = { timeoutMs: ANSWER_MS, signal };
  const deadline = performance.now() + timeoutMs;
  let now = await withOwnMonitor(host, target, limits, async (client) => {
    const before = await ask(client, target, signal);
    refuseOutside(target, bytes, before);
    await client.execute('balloon', { value: bytes }, limits);
    return ask(client, target, signal);
  });
  while (now.actualBytes !== bytes) {
    if (performance.now() >= deadline) throw lateError(target, bytes, now);
    // Each time a short visit: others have their turn at the monitor.
    await delay(PAUSE_MS, signal);
    now = await readBalloon(host, target, { signal });
  }
  return now;
}

async function ask(client: QmpClient, target: MachineRef, signal: AbortSignal | undefined): Promise<BalloonResult> {
  const limits = { timeoutMs: ANSWER_MS, signal };
  try {
    const { actual } = asRecord(await client.executeRaw('query-balloon', {}, limits));
    const memory = asRecord(await client.executeRaw('query-memory-size-summary', {}, limits));
    const memoryBytes = asNumber(memory['base-memory']) + asNumber(memory['plugged-memory']);
    return { actualBytes: asNumber(actual), memoryBytes };
  } catch (error) {
    if (!(error instanceof QmpRefusedError) || error.errorClass !== 'DeviceNotActive') throw error;
    throw new QemuError('QEMU_CONFIG_INVALID', `Machine "${target.longName}" has no balloon (BALLOON=off)`, {
      cause: error,
    });
  }
}

function refuseOutside({ longName }: MachineRef, bytes: number, { memoryBytes }: BalloonResult): void {
  if (bytes >= LEAST_BYTES && bytes <= memoryBytes) return;
  const range = `${renderSize(LEAST_BYTES)} to ${renderSize(memoryBytes)}`;
  throw new QemuError('QEMU_USAGE', `The memory of "${longName}" can be ${range}, not ${renderSize(bytes)}`, {
    hint: bytes > memoryBytes ? 'more takes a larger RAM in its file, then: qemu-init diff' : undefined,
  });
}

function lateError({ longName }: MachineRef, bytes: number, { actualBytes }: BalloonResult): QemuError {
  const message = `The guest of "${longName}" has ${renderSize(Math.ceil(actualBytes / MIB) * MIB)}, not yet ${renderSize(bytes)}`;
  return new QemuError('QEMU_TIMEOUT', message, {
    hint: 'it may go on; without a driver for the balloon, or without memory to spare, it never does',
  });
}
