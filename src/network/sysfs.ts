import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Facts of a bridge that its taps depend on. */
export interface BridgeFacts {
  readonly name: string;
  /** Bytes. */
  readonly mtu: number;
  readonly vlanFiltering: boolean;
  /** VLAN that a new port is in by itself; 0: none. */
  readonly defaultPvid: number;
}

/** Where Linux shows the interfaces of the network namespace (sysfs(5), Documentation/ABI/testing/sysfs-class-net). */
const CLASS_NET = '/sys/class/net';

/** Whether there is an interface of that name. */
export function interfaceExists(name: string): boolean {
  return existsSync(join(CLASS_NET, name));
}

/** The names of all interfaces. */
export function interfaceNames(): string[] {
  try {
    return readdirSync(CLASS_NET);
  } catch {
    return [];
  }
}

/**
 * One attribute of an interface such as `mtu` or `bridge/stp_state`, without its line end; undefined when it is not
 * there.
 */
export function readAttribute(name: string, attribute: string): string | undefined {
  try {
    return readFileSync(join(CLASS_NET, name, attribute), 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Facts of a bridge; undefined when no interface has that name. */
export function readBridge(name: string): BridgeFacts | 'no bridge' | undefined {
  if (!existsSync(join(CLASS_NET, name, 'bridge'))) return interfaceExists(name) ? 'no bridge' : undefined;
  return {
    name,
    mtu: Number(readAttribute(name, 'mtu') ?? 1500),
    // Kernels without VLAN filtering have neither file.
    vlanFiltering: readAttribute(name, 'bridge/vlan_filtering') === '1',
    defaultPvid: Number(readAttribute(name, 'bridge/default_pvid') ?? 1),
  };
}

/** What is known of each of these bridges that is there. */
export function readBridges(names: Iterable<string>): Map<string, BridgeFacts | 'no bridge'> {
  const facts = [...new Set(names)].map((name) => [name, readBridge(name)] as const);
  return new Map(facts.flatMap(([name, bridge]) => (bridge === undefined ? [] : [[name, bridge]])));
}

/** The names of a bridge's ports. */
export function bridgePorts(bridge: string): string[] {
  try {
    return readdirSync(join(CLASS_NET, bridge, 'brif'));
  } catch {
    return [];
  }
}

/** Whether the kernel supports IPv6 (not after `ipv6.disable=1`). */
export function hasIpv6(): boolean {
  return existsSync('/proc/sys/net/ipv6');
}
