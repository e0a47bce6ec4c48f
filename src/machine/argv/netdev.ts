import { quoteComma } from '../../base/text.ts';
import type { HostForward, NicConfig } from '../../config/types.ts';

/** What a NIC's `-netdev` depends on besides its configuration. */
export interface NetdevContext {
  /** Name of its tap, from `tapName`. */
  readonly tap: string;
  readonly netif: 'hook' | 'managed';
  /** Paths of the links that QEMU calls with NETIF=hook. */
  readonly upHook: string;
  readonly downHook: string;
  /** Let the kernel move the packets; see `isVhostUsable`. */
  readonly vhost: boolean;
  /** With `net=passt`: number of the file descriptor that QEMU inherits, the other end of which passt has. */
  readonly passtFd?: number | undefined;
}

/**
 * Value of `-netdev` for a NIC; undefined for `net=none`, where the device is connected to nothing.
 *
 * With NETIF=hook it begins as the qemu-init internals page documents it.
 */
export function netdevArgument(nic: NicConfig, context: NetdevContext): string | undefined {
  const id = `id=net${nic.index - 1}`;
  switch (nic.net) {
    case 'bridge':
      return join('tap', id, ...tapProperties(nic, context));
    case 'user':
      return join('user', id, ...nic.hostForwards.map((forward) => `hostfwd=${userForward(forward)}`));
    case 'passt':
      return join('stream', id, 'server=off,addr.type=fd', `addr.str=${context.passtFd ?? ''}`);
    case 'none':
      return undefined;
  }
}

/** Further properties for the NIC's `-device`; undefined: none. Only virtio-net has any. */
export function nicDeviceProperties(nic: NicConfig): string | undefined {
  if (!isVirtio(nic)) return undefined;
  const queues = queuesOf(nic);
  // One vector for each queue in both directions, one for changes of the configuration, one for control (KVM wiki, Multiqueue).
  const text = join(queues > 1 && `mq=on,vectors=${2 * queues + 2}`, nic.mtu !== undefined && `host_mtu=${nic.mtu}`);
  return text === '' ? undefined : text;
}

/** Pairs of queues that the NIC really has: models but virtio-net know only one. */
export function queuesOf(nic: Pick<NicConfig, 'model' | 'queues'>): number {
  return isVirtio(nic) ? (nic.queues ?? 1) : 1;
}

function isVirtio({ model }: Pick<NicConfig, 'model'>): boolean {
  return model.startsWith('virtio-net');
}

function tapProperties(nic: NicConfig, { tap, netif, upHook, downHook, vhost }: NetdevContext): (string | false)[] {
  const scripts =
    netif === 'hook'
      ? [`script=${quoteComma(upHook)},downscript=${quoteComma(downHook)}`, `ifname=${tap}`]
      : [`ifname=${tap}`, 'script=no,downscript=no'];
  return [...scripts, vhost && isVirtio(nic) && 'vhost=on', queuesOf(nic) > 1 && `queues=${queuesOf(nic)}`];
}

/** QEMU takes IPv4 addresses only, which the configuration has seen to. */
function userForward({ protocol, hostAddress, hostPort, guestAddress, guestPort }: HostForward): string {
  return `${protocol}:${hostAddress}:${hostPort}-${guestAddress}:${guestPort}`;
}

function join(...parts: readonly (string | false)[]): string {
  return parts.filter((part) => part !== false).join(',');
}
