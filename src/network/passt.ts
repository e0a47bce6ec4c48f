import type { HostForward, NicConfig } from '../config/types.ts';
import { QemuError } from '../errors.ts';

/** Number of the file descriptor that passt is started with. */
export const PASST_FD = 3;

/**
 * Arguments of passt(1) for a NIC with `net=passt`. It is to be started with one end of a pair of connected sockets as file
 * descriptor {@link PASST_FD}, QEMU with the other end: passt ends by itself as soon as the other end is closed, whoever
 * is killed, and so needs nobody to look after it.
 *
 * @throws {QemuError} `QEMU_CONFIG_INVALID` for a forward to a certain address of the guest, which passt has not.
 */
export function passtArguments(nic: NicConfig): string[] {
  const forwards = (option: string, protocol: 'tcp' | 'udp'): string[] => {
    const specs = nic.hostForwards.filter((forward) => forward.protocol === protocol).map((forward) => passtForward(nic, forward));
    return (specs.length === 0 ? ['none'] : specs).flatMap((spec) => [option, spec]);
  };
  return [
    '--foreground',
    '--quiet',
    '--fd',
    String(PASST_FD),
    ...(nic.mtu === undefined ? [] : ['--mtu', String(nic.mtu)]),
    ...forwards('--tcp-ports', 'tcp'),
    ...forwards('--udp-ports', 'udp'),
  ];
}

function passtForward(nic: NicConfig, { hostAddress, hostPort, guestAddress, guestPort }: HostForward): string {
  if (guestAddress !== '') {
    throw new QemuError('QEMU_CONFIG_INVALID', `Cannot forward to "${guestAddress}" in NIC${nic.index} with net=passt`, {
      hint: 'leave the address of the guest empty: passt gives it one only',
    });
  }
  return `${hostAddress === '' ? '' : `${hostAddress}/`}${hostPort}:${guestPort}`;
}
