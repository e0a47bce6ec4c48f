import { QemuError } from '../../base/errors.ts';
import { asText } from '../../base/guards.ts';
import type { MachineRef } from '../context.ts';
import { readWork } from '../work/work-record.ts';

/** Work of a revert: see `revert-work.ts`. */
export const REVERT_WORK = 'snapshot-revert';

/**
 * Refuses a start while some disks are reverted and others are not: the guest would destroy both. To be called when what
 * was left of work has been set right, as far as that could be.
 *
 * @throws {QemuError} `QEMU_MACHINE_STATE`
 */
export function refuseHalfReverted({ files, longName }: MachineRef): void {
  const work = readWork(files);
  if (work?.kind !== REVERT_WORK || work.data['hasBegun'] !== true) return;
  const name = asText(work.data['name']);
  const message = `A revert of machine "${longName}" to snapshot "${name}" was interrupted and could not be ended: its disks may be of different times`;
  throw new QemuError('QEMU_MACHINE_STATE', message, {
    hint: `every command on the machine tries again, and says what is in the way: qemu-init status ${longName}`,
  });
}
