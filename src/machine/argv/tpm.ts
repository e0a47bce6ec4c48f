import type { MachineConfig } from '../../config/types.ts';
import { chipsetOf } from './chipset.ts';
import { device, option, type Part } from './description.ts';
import { tpmFd } from './host-devices/helper-fds.ts';

/** The TPM: a device of the guest's, and the socket that leads to the emulator. */
export function tpmParts(config: MachineConfig): Part[] {
  if (!config.tpm) return [];
  return [
    option('TPM', '-chardev', `socket,id=tpm,fd=${tpmFd(config)}`),
    option('TPM', '-tpmdev', 'emulator,id=tpm0,chardev=tpm'),
    device('TPM', tpmDevice(config), { id: 'tpm' }, { tpmdev: 'tpm0' }),
  ];
}

/** The TPM that the firmware and the kernels of a board know (docs/specs/tpm of QEMU). */
export function tpmDevice({ machine, targetArch }: Pick<MachineConfig, 'machine' | 'targetArch'>): string {
  if (machine.startsWith('pseries')) return 'tpm-spapr';
  const chipset = chipsetOf(machine, targetArch);
  if (chipset === 'virt') return 'tpm-tis-device';
  return chipset === 'other' ? 'tpm-tis' : 'tpm-crb';
}
