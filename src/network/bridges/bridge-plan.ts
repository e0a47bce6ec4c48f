import { QemuError } from '../../base/errors.ts';

/** The bridge that `qemu-netif bridge add` is to create. */
export interface BridgeSpec {
  readonly name: string;
  /** Interface that connects the bridge to the network outside. */
  readonly uplink?: string | undefined;
  /** Addresses with prefix length, such as `192.168.7.1/24`, for the host itself. */
  readonly addresses: readonly string[];
  /** Bytes; undefined: that of the uplink, else 1500. */
  readonly mtu?: number | undefined;
  readonly vlanAware: boolean;
}

/** What making and removing bridges needs to know of an interface. */
export interface InterfaceState {
  readonly name: string;
  readonly isBridge: boolean;
  readonly isWireless: boolean;
  readonly isUp: boolean;
  readonly isLoopback: boolean;
  readonly vlanAware: boolean;
  readonly mac: string;
  /** Bytes. */
  readonly mtu: number;
  readonly alias: string;
  /** Bridge or other interface that it is a port of. */
  readonly master: string | undefined;
  /** Interfaces that are ports of it. */
  readonly ports: readonly string[];
  readonly addresses: readonly HostAddress[];
  /** Those without a gateway first. */
  readonly routes: readonly HostRoute[];
}

/** An address of the host that moves between uplink and bridge. */
export interface HostAddress {
  /** `192.0.2.1/24`. */
  readonly address: string;
  /** Its further arguments for `ip address add`. */
  readonly options: string;
}

/** A route of the host that moves between uplink and bridge. */
export interface HostRoute {
  /** `0.0.0.0/0` or another prefix. */
  readonly destination: string;
  /** Its further arguments for `ip route add`, without the interface. */
  readonly options: string;
}

/** Lines for `ip -batch -`, and those for `ip -force -batch -` that undo them when one of them fails. */
export interface BridgePlan {
  readonly lines: readonly string[];
  readonly undo: readonly string[];
}

/**
 * Makes a bridge, or adds what an existing one lacks. The addresses and routes of an uplink move to the bridge, since a
 * port cannot use them.
 *
 * @param bridge its state; undefined: it does not exist.
 * @param uplink state of the uplink; undefined: it does not exist or none is wanted.
 * @param mac address for a bridge without uplink. It is fixed because a bridge's address would otherwise change with
 * its ports.
 * @throws {QemuError} `QEMU_COMMAND_FAILED` when the bridge or the uplink is another kind of interface.
 */
export function planBridgeAdd(
  wish: BridgeSpec,
  bridge: InterfaceState | undefined,
  uplink: InterfaceState | undefined,
  mac: string,
): BridgePlan {
  const { name } = wish;
  if (bridge?.isBridge === false) throw refusal(`Cannot make bridge "${name}": another interface has that name`);
  if (wish.uplink !== undefined) checkUplink(name, wish.uplink, uplink);
  const joins = uplink !== undefined && uplink.master !== name;
  const making = bridge === undefined ? newBridge(wish, uplink, mac) : completing(wish, bridge);
  const moving = joins
    ? [`link set dev ${uplink.name} master ${name} up`, ...moveLines(uplink, uplink.name, name)]
    : [];
  const existing = new Set(bridge?.addresses.map(({ address }) => address));
  const addresses = wish.addresses.filter((address) => !existing.has(address));
  const isOurs = bridge === undefined || parseBridgeAlias(bridge.alias) !== undefined;
  return {
    lines: [
      ...making,
      ...(isOurs && (bridge === undefined || joins) ? [`link set dev ${name} alias ${bridgeAlias(uplink?.name)}`] : []),
      ...moving,
      ...addresses.map((address) => `address add ${address} dev ${name}`),
    ],
    undo: [
      ...(joins ? [`link set dev ${uplink.name} nomaster`, ...moveLines(uplink, name, uplink.name)] : []),
      ...(bridge === undefined
        ? [`link delete dev ${name}`]
        : addresses.map((address) => `address delete ${address} dev ${name}`)),
    ],
  };
}

/**
 * Removes a bridge that {@link planBridgeAdd} has made. Its uplink gets the addresses and routes.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` when qemu-netif did not make it or it has ports other than its uplink.
 */
export function planBridgeDelete(bridge: InterfaceState): BridgePlan {
  const { name } = bridge;
  const made = bridge.isBridge ? parseBridgeAlias(bridge.alias) : undefined;
  if (made === undefined) {
    throw refusal(`Cannot remove "${name}": qemu-netif did not make it`, `remove it with: ip link delete dev ${name}`);
  }
  const others = bridge.ports.filter((port) => port !== made.uplink);
  if (others.length > 0) {
    throw refusal(
      `Cannot remove bridge "${name}": it is used by ${others.map((port) => `"${port}"`).join(', ')}`,
      'stop the machines first',
    );
  }
  const uplink = made.uplink !== undefined && bridge.ports.includes(made.uplink) ? made.uplink : undefined;
  const giving = uplink === undefined ? [] : [`link set dev ${uplink} nomaster`, ...moveLines(bridge, name, uplink)];
  const taking =
    uplink === undefined ? [] : [`link set dev ${uplink} master ${name}`, ...moveLines(bridge, uplink, name)];
  return { lines: [...giving, `link delete dev ${name}`], undo: taking };
}

/** Reads the alias that marks a bridge as made by qemu-netif; undefined: it is not. */
export function parseBridgeAlias(alias: string): { readonly uplink: string | undefined } | undefined {
  const match = /^qemu-netif(?::(.+))?$/.exec(alias);
  return match === null ? undefined : { uplink: match[1] };
}

function bridgeAlias(uplink: string | undefined): string {
  return uplink === undefined ? 'qemu-netif' : `qemu-netif:${uplink}`;
}

function newBridge(wish: BridgeSpec, uplink: InterfaceState | undefined, mac: string): string[] {
  const address = uplink?.mac ?? mac;
  const mtu = wish.mtu ?? uplink?.mtu ?? 1500;
  const vlans = wish.vlanAware ? ' vlan_filtering 1' : '';
  return [
    `link add name ${wish.name} address ${address} mtu ${mtu} type bridge${vlans}`,
    `link set dev ${wish.name} up`,
  ];
}

function completing(wish: BridgeSpec, bridge: InterfaceState): string[] {
  return [
    ...(wish.mtu !== undefined && wish.mtu !== bridge.mtu ? [`link set dev ${bridge.name} mtu ${wish.mtu}`] : []),
    ...(wish.vlanAware && !bridge.vlanAware ? [`link set dev ${bridge.name} type bridge vlan_filtering 1`] : []),
    ...(bridge.isUp ? [] : [`link set dev ${bridge.name} up`]),
  ];
}

function checkUplink(
  bridge: string,
  name: string,
  uplink: InterfaceState | undefined,
): asserts uplink is InterfaceState {
  const start = `Cannot use "${name}" as uplink of bridge "${bridge}"`;
  if (uplink === undefined) throw refusal(`${start}: no interface has that name`);
  if (uplink.isBridge || uplink.isLoopback)
    throw refusal(`${start}: it is a ${uplink.isBridge ? 'bridge' : 'loopback interface'}`);
  // An access point only accepts frames from the addresses of its stations.
  if (uplink.isWireless)
    throw refusal(`${start}: a wireless interface cannot be a bridge port`, 'use net=user or net=passt');
  if (uplink.master !== undefined && uplink.master !== bridge)
    throw refusal(`${start}: it belongs to "${uplink.master}"`);
}

/**
 * Routes need addresses, those over a gateway also other routes: they arrive in order and leave in the opposite one.
 */
function moveLines({ addresses, routes }: InterfaceState, from: string, to: string): string[] {
  return [
    ...routes
      .toReversed()
      .map(({ destination, options }) => `route delete ${destination} dev ${from} ${options}`.trimEnd()),
    // With the first address of a network the kernel takes away the others.
    ...addresses.toReversed().map(({ address }) => `address delete ${address} dev ${from}`),
    ...addresses.map(({ address, options }) => `address add ${address} dev ${to} ${options}`.trimEnd()),
    ...routes.map(({ destination, options }) => `route add ${destination} dev ${to} ${options}`.trimEnd()),
  ];
}

function refusal(message: string, hint?: string): QemuError {
  return new QemuError('QEMU_COMMAND_FAILED', message, { hint });
}
