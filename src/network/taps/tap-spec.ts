import type { NicConfig } from '../../config/device-config.ts';
import type { MachineConfig } from '../../config/types.ts';
import { queuesOf } from '../../machine/argv/netdev.ts';
import { tapName } from './tap-names.ts';

/** Properties a tap must have. The note of the tap has the same content. */
export interface TapSpec {
  /** Name of the tap. */
  readonly tap: string;
  /** Long name of its machine. */
  readonly machine: string;
  /** x of NICx, from 1. */
  readonly index: number;
  readonly bridge: string;
  /** Address of the guest's end. */
  readonly mac: string;
  /** Bytes; undefined: as the bridge has. */
  readonly mtu?: number | undefined;
  /** VLAN that the guest is in without knowing it; undefined: that of the bridge's ports by default. */
  readonly vlan?: number | undefined;
  /** Pairs of queues. */
  readonly queues: number;
  /** No traffic to and from other isolated ports. */
  readonly isolated: boolean;
  /** Only `mac` and `addresses` may leave the guest. */
  readonly lock: boolean;
  /** Addresses and networks for `lock`; none: any address. */
  readonly addresses: readonly string[];
  /** Most bytes a second in each direction; undefined: no limit. */
  readonly rate?: number | undefined;
}

/**
 * The taps that a machine needs: one for each NIC with `net=bridge`.
 *
 * @param macs x of NICx → its address, from `leaseMacs`.
 */
export function tapSpecs(
  config: Pick<MachineConfig, 'longName' | 'nics'>,
  macs: ReadonlyMap<number, string>,
): TapSpec[] {
  return config.nics
    .filter((nic) => nic.net === 'bridge')
    .map((nic) => tapWish(config.longName, nic, macs.get(nic.index) ?? ''));
}

function tapWish(machine: string, nic: NicConfig, mac: string): TapSpec {
  const { index, bridge, mtu, vlan, isolated, lock, addresses, rate } = nic;
  const tap = tapName(machine, index);
  const limit = rate === undefined ? {} : { rate };
  return { tap, machine, index, bridge, mac, mtu, vlan, queues: queuesOf(nic), isolated, lock, addresses, ...limit };
}
