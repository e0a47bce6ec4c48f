import type { ShareConfig } from '../../../config/device-config.ts';
import type { MachineConfig } from '../../../config/types.ts';

/** First file descriptor that a process inherits in addition to the standard ones. */
const FIRST_FD = 3;

/**
 * Descriptors that QEMU inherits, of sockets that lead to programs: first those of the NICs with `net=passt`, then that
 * of the TPM, then those of the shares with virtiofs.
 */
export function tpmFd({ nics }: Pick<MachineConfig, 'nics'>): number {
  return FIRST_FD + nics.filter(({ net }) => net === 'passt').length;
}

/** That of a share with virtiofs. */
export function shareFd(config: Pick<MachineConfig, 'nics' | 'tpm' | 'shares'>, share: ShareConfig): number {
  return tpmFd(config) + (config.tpm ? 1 : 0) + virtiofsShares(config).indexOf(share);
}

/** The shares that have a program each. */
export function virtiofsShares({ shares }: Pick<MachineConfig, 'shares'>): ShareConfig[] {
  return shares.filter(({ driver }) => driver === 'virtiofs');
}
