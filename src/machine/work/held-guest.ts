import { QemuError } from '../../base/errors.ts';
import type { QmpClient } from '../../qmp/client.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { failedDrives, queryState } from '../control/query-state.ts';
import { isOwner } from '../move/move-record.ts';
import { whyFull } from '../observe/disk-room.ts';

const ANSWER_MS = 5_000;

/**
 * Whether a guest stands still for want of room that its own disks have. What a guest is about to write over, a backup job
 * copies first: when there is no room for that, the write of the guest fails as if its own disk were full, and QEMU stops
 * it (block/copy-before-write.c, `break-guest-write`). A copy next to the disk takes the room of both.
 *
 * @throws {QemuError} as {@link QmpClient.executeRaw}.
 */
export async function isHeldUp(host: MachineContext, target: MachineRef, client: QmpClient): Promise<boolean> {
  const limits = { timeoutMs: ANSWER_MS };
  if (!isOwner(target.files) || (await queryState(client, limits)) !== 'io-error') return false;
  const failed = await failedDrives(client, limits);
  return (
    failed.length > 0 &&
    failed.every(({ drive, reason }) => reason === 'nospace' && whyFull(host, target, drive) === undefined)
  );
}

/** Lets such a guest go on: QEMU repeats what it could not write. Never throws. */
export async function letGoOn(host: MachineContext, target: MachineRef, client: QmpClient): Promise<void> {
  try {
    if (!(await isHeldUp(host, target, client))) return;
    await client.executeRaw('cont', undefined, { timeoutMs: ANSWER_MS });
    const message = 'its guest stood still for want of room, and goes on';
    host.notify({ level: 'info', machine: target.longName, message });
  } catch (error) {
    // `status` shows it, and `resume` does the same.
    if (!(error instanceof QemuError)) throw error;
  }
}
