import { errorCode } from '../../base/errors.ts';
import type { QmpClient } from '../../qmp/client.ts';
import { type MachineContext, type MachineRef, notRunning } from '../context.ts';
import type { withControl, withOwnMonitor } from '../control/control-port.ts';
import { locate } from '../run/locate.ts';
import { whileAlive } from '../run/while-alive.ts';

/** How a step of a move reaches a QEMU. */
export interface StepOptions {
  /** For each answer of QEMU. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** @param limits the signal comes when QEMU is gone, too. */
export type Step<T> = (
  client: QmpClient,
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
) => Promise<T>;

/**
 * One step of a move on one of its two QEMUs. It ends with that QEMU: a monitor that is gone for good is not waited for.
 *
 * @throws {QemuError} `QEMU_NOT_RUNNING` when it is gone, or goes meanwhile; and what `step` throws.
 */
export async function whileThere<T>(
  host: MachineContext,
  target: MachineRef,
  way: typeof withOwnMonitor | typeof withControl,
  { timeoutMs, signal }: StepOptions,
  step: Step<T>,
): Promise<T> {
  const located = locate(target.files);
  if (located.kind !== 'alive') throw notRunning(target);
  try {
    return await whileAlive(located.process, signal, (alive) => {
      const limits = { timeoutMs, signal: alive };
      return way(host, target, limits, (client) => step(client, limits));
    });
  } catch (error) {
    const isGone = signal?.aborted !== true && locate(target.files).kind !== 'alive';
    throw isGone && errorCode(error) === 'QEMU_ABORTED' ? notRunning(target) : error;
  }
}
