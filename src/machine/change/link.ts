import { errorCode, QemuError } from '../../base/errors.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { withControl } from '../control/control-port.ts';

const ANSWER_MS = 10_000;

/**
 * Pulls the cable of a network card of a running machine, or plugs it in again. It is in at each start.
 *
 * @param key `NIC1` …
 * @throws {QemuError} `QEMU_USAGE` for other keys; `QEMU_DEVICE_UNKNOWN` for a card that the machine does not have;
 * `QEMU_NOT_RUNNING`, `QEMU_TIMEOUT`, `QEMU_ABORTED`.
 */
export async function setLink(
  host: MachineContext,
  target: MachineRef,
  key: string,
  up: boolean,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const index = /^NIC([1-9]\d{0,2})$/.exec(key)?.[1];
  if (index === undefined) throw new QemuError('QEMU_USAGE', `"${key}" is not a network card, such as NIC1`);
  const limits = { timeoutMs: ANSWER_MS, signal };
  try {
    await withControl(host, target, limits, (client) =>
      client.execute('set_link', { name: `nic${index}`, up }, limits),
    );
  } catch (error) {
    if (errorCode(error) !== 'QEMU_QMP_REFUSED') throw error;
    throw new QemuError('QEMU_DEVICE_UNKNOWN', `Machine "${target.longName}" has no ${key}`, { cause: error });
  }
}
