import { accessSync, constants } from 'node:fs';

/**
 * Whether taps can have `vhost=on`: under KVM, when this process may open /dev/vhost-net.
 *
 * @param accelerator that QEMU will use: under TCG vhost brings nothing.
 */
export function isVhostUsable(accelerator: 'kvm' | 'tcg'): boolean {
  if (accelerator !== 'kvm') return false;
  try {
    accessSync('/dev/vhost-net', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
