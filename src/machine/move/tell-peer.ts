import { QemuError } from '../../base/errors.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { readMove, removeMove } from './move-record.ts';

/**
 * Tells the other host that the guest of a move which was given up goes on here, when it does not know that yet. Never
 * throws: the guest is here in any case, and only that host has a QEMU too many.
 *
 * @param given where it is; undefined: as it is noted.
 * @returns whether there is nothing more to tell.
 */
export async function tellPeer(
  host: MachineContext,
  target: MachineRef,
  given: string | undefined,
  timeoutMs: number,
): Promise<boolean> {
  const noted = readMove(target.files);
  if (noted === undefined || noted === 'damaged' || noted.phase !== 'kept') return true;
  const { id, peer } = noted;
  try {
    await host.moves.tell(given ?? peer, { name: target.longName, id, says: 'kept' }, { timeoutMs });
    removeMove(target.files);
    return true;
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    const again = shellCommand('qemu-init', 'jobs', 'resume', target.longName);
    const message = `its guest has stayed here, but ${peer} cannot be told that now (${error.message}); to try again: ${again}`;
    host.notify({ level: 'warning', machine: target.longName, message });
    return false;
  }
}
