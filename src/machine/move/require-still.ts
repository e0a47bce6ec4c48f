import { QemuError } from '../../base/errors.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { withOwnMonitor } from '../control/control-port.ts';
import { queryState } from '../control/query-state.ts';
import { type StepOptions, whileThere } from './while-there.ts';

/**
 * Refuses to hand over a guest that another program has let run on: what it did since is not in the other QEMU.
 *
 * @throws {QemuError} `QEMU_MACHINE_STATE`
 */
export async function requireStill(host: MachineContext, target: MachineRef, options: StepOptions): Promise<void> {
  const state = await whileThere(host, target, withOwnMonitor, options, queryState);
  if (state === 'postmigrate') return;
  throw new QemuError(
    'QEMU_MACHINE_STATE',
    `The guest of machine "${target.longName}" went on meanwhile: it is ${state}`,
    { hint: 'another program has let it run; it stays here, and can be moved again' },
  );
}
