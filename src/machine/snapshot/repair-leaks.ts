import { QemuError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachineContext } from '../context.ts';
import { checkLayer } from '../disks/check-layer.ts';
import { stoppedDisks } from '../disks/stopped-disks.ts';

/**
 * Gives back clusters that are taken for nothing, which a program leaves that is ended in the middle of a change. They cost
 * room and no data: what cannot be done now is left to `disk check`.
 */
export async function repairLeaks(host: MachineContext, config: MachineConfig): Promise<void> {
  try {
    for (const disk of await stoppedDisks(host, config, undefined, undefined)) {
      await checkLayer(config, disk, disk.layers[0], 'leaks', undefined);
    }
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
  }
}
