import { QemuError } from '../../base/errors.ts';
import type { MachineManager } from '../../fleet/machine-manager.ts';
import type { MachineRef } from '../../machine/context.ts';
import { ask } from './ask.ts';

/** Offers the registered machines on the terminal and takes a number or a name. */
export async function askForMachine(fleet: MachineManager, signal: AbortSignal): Promise<MachineRef> {
  const targets = fleet.list();
  if (targets.length === 0) {
    throw new QemuError('QEMU_USAGE', 'No machine is registered', { hint: 'see: qemu-init register --help' });
  }
  for (const [at, target] of targets.entries()) {
    const { shortName, longName } = target;
    const name = shortName === undefined || shortName === longName ? longName : `${shortName} (${longName})`;
    const state = fleet.isAlive(target) ? '  (running)' : '';
    process.stderr.write(`${String(at + 1).padStart(3)}  ${name}${state}\n`);
  }
  const answer = await ask('Which machine? (number or name; Ctrl-D: none) ', signal);
  const byNumber = /^\d+$/.test(answer) ? targets[Number(answer) - 1] : undefined;
  if (byNumber) return byNumber;
  if (answer === '') throw new QemuError('QEMU_USAGE', 'No machine was given');
  return fleet.get(answer);
}
