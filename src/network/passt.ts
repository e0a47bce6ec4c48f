import type { HostForward, NicConfig } from '../config/device-config.ts';
import { type ConnectedOptions, type ConnectedProcess, spawnConnected } from '../system/process/connected-process.ts';

/** First file descriptor that a process inherits in addition to the standard ones. */
const FIRST_FD = 3;

/**
 * The file descriptor of QEMU that leads to the passt of a NIC: they are handed over in the order of the NICs.
 *
 * @returns undefined when the NIC has another `net=`.
 */
export function passtFd(nics: readonly NicConfig[], nic: NicConfig): number | undefined {
  const position = nics.filter(({ net }) => net === 'passt').findIndex(({ index }) => index === nic.index);
  return position < 0 ? undefined : FIRST_FD + position;
}

/**
 * Starts a passt for each NIC with `net=passt`. Each ends by itself as soon as the other end of its socket is closed:
 * when QEMU ends, and also when the process that starts QEMU is killed before it has done so.
 *
 * @returns our ends of the sockets in the order of the NICs, to be handed to QEMU as its file descriptors from 3 on and
 * then to be destroyed.
 * @throws {QemuError} `QEMU_NOT_INSTALLED` without passt, `QEMU_LAUNCH_FAILED` when it refuses (a port is taken).
 */
export async function startPassts(
  nics: readonly NicConfig[],
  options: Omit<ConnectedOptions, 'timeoutMs'> & { readonly user?: string | undefined },
): Promise<ConnectedProcess['socket'][]> {
  const sockets: ConnectedProcess['socket'][] = [];
  try {
    for (const nic of nics.filter(({ net }) => net === 'passt')) {
      const { socket } = await spawnConnected(['passt', ...passtArguments(nic, options.user)], {
        ...options,
        timeoutMs: 10_000,
      });
      sockets.push(socket);
    }
    return sockets;
  } catch (error) {
    for (const socket of sockets) socket.destroy();
    throw error;
  }
}

/**
 * Arguments of passt(1) for a NIC. It cannot forward to a chosen address of the guest, since it assigns only one.
 *
 * @param user that it runs as; undefined: the caller, or `nobody` if that is root.
 */
export function passtArguments(nic: NicConfig, user: string | undefined): string[] {
  const forwards = (option: string, protocol: 'tcp' | 'udp'): string[] => {
    const specs = nic.hostForwards.filter((forward) => forward.protocol === protocol).map(passtForward);
    return (specs.length === 0 ? ['none'] : specs).flatMap((spec) => [option, spec]);
  };
  return [
    '--foreground',
    '--quiet',
    '--stderr',
    '--fd',
    String(FIRST_FD),
    ...(user === undefined ? [] : ['--runas', user]),
    ...(nic.mtu === undefined ? [] : ['--mtu', String(nic.mtu)]),
    ...forwards('--tcp-ports', 'tcp'),
    ...forwards('--udp-ports', 'udp'),
  ];
}

function passtForward({ hostAddress, hostPort, guestPort }: HostForward): string {
  return `${hostAddress === '' ? '' : `${hostAddress}/`}${hostPort}:${guestPort}`;
}
