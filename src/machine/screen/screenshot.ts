import { Domain } from '../../domain/domain.ts';
import { type ScreenDumpOptions, type Screenshot, screenDump } from '../../domain/screen/screen-dump.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { withControl } from '../control/control-port.ts';

/** QEMU draws the screen first, and may be busy with a slow disk. */
const TIMEOUT_MS = 15_000;

/**
 * Takes a picture of the screen of a running machine, also of one that is paused.
 *
 * @throws {QemuError} `QEMU_NOT_RUNNING`; `QEMU_QMP_REFUSED` for a machine without a screen; `QEMU_QMP_BAD_REPLY` when
 * QEMU writes no picture; `QEMU_TIMEOUT`, `QEMU_ABORTED`.
 */
export async function takeScreenshot(
  host: MachineContext,
  target: MachineRef,
  { timeoutMs = TIMEOUT_MS, ...options }: ScreenDumpOptions = {},
): Promise<Screenshot> {
  const limits = { timeoutMs, signal: options.signal };
  return withControl(host, target, limits, (client) =>
    // A QEMU in a unit has a private /tmp; where its sockets are it may write.
    screenDump(new Domain(client, target.longName), { ...options, timeoutMs }, target.files.dir),
  );
}
