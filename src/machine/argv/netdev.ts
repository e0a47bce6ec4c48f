import type { HostForward, NicConfig } from '../../config/device-config.ts';
import type { NetdevArguments, Properties } from './description.ts';

/** What a NIC's `-netdev` depends on in addition to its configuration. */
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
 * What a NIC is connected to; undefined for `net=none`, where the device is connected to nothing.
 *
 * With NETIF=hook its option begins as the qemu-init internals page documents it.
 */
export function netdevArguments(nic: NicConfig, context: NetdevContext): NetdevArguments | undefined {
  const id = `net${nic.index - 1}`;
  switch (nic.net) {
    case 'bridge':
      return { type: 'tap', id, ...tapArguments(nic, context) };
    case 'user':
      return { type: 'user', id, hostfwd: nic.hostForwards.map((forward) => ({ str: userForward(forward) })) };
    case 'passt':
      return { type: 'stream', id, server: false, addr: { type: 'fd', str: String(context.passtFd ?? '') } };
    case 'none':
      return undefined;
    default:
      return nic.net satisfies never;
  }
}

/** Further properties of the NIC's device. Only virtio-net has any. */
export function nicDeviceProperties(nic: NicConfig): Properties {
  if (!isVirtio(nic)) return {};
  const queues = queuesOf(nic);
  return {
    // One vector for each queue in both directions, one for changes of the configuration, one for control (KVM wiki,
    // Multiqueue).
    ...(queues > 1 && { mq: true, vectors: 2 * queues + 2 }),
    host_mtu: nic.mtu,
  };
}

/** Pairs of queues that the NIC really has: all models except virtio-net have only one. */
export function queuesOf(nic: Pick<NicConfig, 'model' | 'queues'>): number {
  return isVirtio(nic) ? (nic.queues ?? 1) : 1;
}

function isVirtio({ model }: Pick<NicConfig, 'model'>): boolean {
  return model.startsWith('virtio-net');
}

function tapArguments(
  nic: NicConfig,
  { tap, netif, upHook, downHook, vhost }: NetdevContext,
): Omit<Extract<NetdevArguments, { readonly type: 'tap' }>, 'id' | 'type'> {
  const queues = queuesOf(nic);
  return {
    ...(netif === 'hook'
      ? { script: upHook, downscript: downHook, ifname: tap }
      : { ifname: tap, script: 'no', downscript: 'no' }),
    vhost: (vhost && isVirtio(nic)) || undefined,
    queues: queues > 1 ? queues : undefined,
  };
}

/** QEMU accepts IPv4 addresses only, which the configuration has checked. */
function userForward({ protocol, hostAddress, hostPort, guestAddress, guestPort }: HostForward): string {
  return `${protocol}:${hostAddress}:${hostPort}-${guestAddress}:${guestPort}`;
}
