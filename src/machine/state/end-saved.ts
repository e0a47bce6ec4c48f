import { QemuError } from '../../base/errors.ts';
import type { QmpClient } from '../../qmp/client.ts';
import { appendToLog } from '../../system/files/log/log-file.ts';
import { type ProcessInfo, sendSignal, waitForExit } from '../../system/process/process.ts';
import type { MachineRef } from '../context.ts';
import { killQemu, SAVE_LINE } from '../run/last-run.ts';
import { QUIT_MS, SIGKILL_MS, SIGTERM_MS } from '../stop/stop-plan.ts';

/**
 * Ends the QEMU of a guest whose state is saved, or elsewhere: it stands still, and has let go of its disks. The log says
 * so first, since QEMU itself only knows that it was asked to quit.
 *
 * @param line what the log says.
 * @throws {QemuError} `QEMU_STOP_FAILED`, `QEMU_NOT_PERMITTED`.
 */
export async function endSaved(
  target: MachineRef,
  { pid, startTime }: ProcessInfo,
  client: QmpClient | undefined,
  line = SAVE_LINE,
): Promise<void> {
  appendToLog(target.files.log, `${new Date().toISOString()} ${line}`);
  try {
    await client?.executeRaw('quit', undefined, { timeoutMs: QUIT_MS });
  } catch (error) {
    // It may be gone before its answer is out; what counts is whether it is.
    if (!(error instanceof QemuError)) throw error;
  }
  if (await waitForExit(pid, startTime, QUIT_MS)) return;
  sendSignal(pid, startTime, 'SIGTERM');
  if (await waitForExit(pid, startTime, SIGTERM_MS)) return;
  killQemu(target, pid, startTime);
  if (await waitForExit(pid, startTime, SIGKILL_MS)) return;
  throw new QemuError(
    'QEMU_STOP_FAILED',
    `The guest of machine "${target.longName}" has left QEMU (process ${pid}), which does not end`,
  );
}
