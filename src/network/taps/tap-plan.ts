import { QemuError } from '../../base/errors.ts';
import type { BridgeFacts } from '../sysfs.ts';
import { hasRules, tapRules, unlockRules } from './lock-rules.ts';
import { ownerAlias } from './owner-alias.ts';
import type { TapSpec } from './tap-spec.ts';

/** One line for `ip -batch` or `bridge -batch`, and the tap that it is about. */
export interface PlanLine {
  readonly tap: string;
  readonly line: string;
}

/** Commands to run, in this order. */
export interface TapPlan {
  /** For `ip -batch -`. */
  readonly ip: readonly PlanLine[];
  /** For `bridge -batch -`. */
  readonly bridge: readonly PlanLine[];
  /** For `nft -f -`; empty: nothing. */
  readonly nft: string;
}

/** What a plan depends on in addition to the specs. */
export interface PlanFacts {
  /** By name: the facts of a bridge, or that the interface is not a bridge. Missing interfaces are not listed. */
  readonly bridges: ReadonlyMap<string, BridgeFacts | 'no bridge'>;
  /** Taps of this machine left over from an earlier run. */
  readonly leftovers: ReadonlySet<string>;
  /** Short name of the scope, for the alias that marks a tap as ours; undefined: no mark. */
  readonly scope?: string | undefined;
  readonly ipv6: boolean;
  /** User that QEMU runs as; undefined: a user with CAP_NET_ADMIN. */
  readonly user?: string | undefined;
}

/**
 * Makes all the taps of a machine and joins them to their bridges.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` when a bridge is missing or has no VLANs.
 */
export function planTaps(specs: readonly TapSpec[], facts: PlanFacts): TapPlan {
  return plan(specs, facts, (wish) => [
    ...(facts.leftovers.has(wish.tap) ? [`link delete dev ${wish.tap}`] : []),
    // QEMU gets EINVAL for a tap whose multi_queue does not match its queues=.
    words('tuntap add dev', wish.tap, 'mode tap', facts.user && `user ${facts.user}`, wish.queues > 1 && 'multi_queue'),
  ]);
}

/**
 * Joins a tap that QEMU has made to its bridge.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` when the bridge is missing or has no VLANs.
 */
export function planJoin(wish: TapSpec, facts: Omit<PlanFacts, 'leftovers' | 'user'>): TapPlan {
  return plan([wish], facts, () => []);
}

/**
 * Takes a tap that is in use from one bridge to another, or to the same one anew: a port that leaves loses its VLANs and
 * its isolation. The last line of `ip` switches it on, and is to come after all other commands.
 *
 * @throws {QemuError} as {@link planJoin}.
 */
export function planRejoin(
  wish: TapSpec,
  facts: Omit<PlanFacts, 'leftovers' | 'user'> & { readonly wasLocked: boolean },
): TapPlan {
  const joined = plan([wish], facts, ({ tap }) => [`link set dev ${tap} down`, `link set dev ${tap} nomaster`]);
  return { ...joined, nft: `${facts.wasLocked ? unlockRules(wish.tap) : ''}${joined.nft}` };
}

/**
 * Removes the interfaces that exist, and the rules of those that are locked. The lines are for `ip -force -batch -`.
 */
export function planRemoval(
  taps: readonly { readonly tap: string; readonly exists: boolean; readonly locked: boolean }[],
): TapPlan {
  return {
    ip: taps.filter(({ exists }) => exists).map(({ tap }) => ({ tap, line: `link delete dev ${tap}` })),
    bridge: [],
    nft: taps
      .filter(({ locked }) => locked)
      .map(({ tap }) => unlockRules(tap))
      .join(''),
  };
}

function plan(
  specs: readonly TapSpec[],
  facts: Omit<PlanFacts, 'leftovers' | 'user'>,
  making: (wish: TapSpec) => readonly string[],
): TapPlan {
  const bridges = new Map(specs.map((wish) => [wish.tap, bridgeOf(wish, facts.bridges)]));
  const lines = (linesOf: (wish: TapSpec, bridge: BridgeFacts) => readonly string[]): PlanLine[] =>
    specs.flatMap((wish) => {
      const bridge = bridges.get(wish.tap);
      return bridge === undefined ? [] : linesOf(wish, bridge).map((line) => ({ tap: wish.tap, line }));
    });
  return {
    ip: lines((wish, bridge) => [...making(wish), ...joinLines(wish, bridge, facts)]),
    bridge: lines(vlanLines),
    nft: specs.filter(hasRules).map(tapRules).join(''),
  };
}

function bridgeOf(wish: TapSpec, bridges: PlanFacts['bridges']): BridgeFacts {
  const bridge = bridges.get(wish.bridge);
  if (bridge === 'no bridge') {
    throw new QemuError('QEMU_COMMAND_FAILED', `Cannot attach tap "${wish.tap}": "${wish.bridge}" is not a bridge`);
  }
  if (bridge === undefined) {
    throw new QemuError(
      'QEMU_COMMAND_FAILED',
      `Cannot attach tap "${wish.tap}": bridge "${wish.bridge}" does not exist`,
      {
        hint: `make it with: qemu-netif bridge add ${wish.bridge}`,
      },
    );
  }
  if (wish.vlan !== undefined && !bridge.vlanFiltering) {
    throw new QemuError(
      'QEMU_COMMAND_FAILED',
      `Cannot put tap "${wish.tap}" into VLAN ${wish.vlan}: bridge "${wish.bridge}" has VLAN filtering switched off`,
      { hint: `switch it on with: ip link set dev ${wish.bridge} type bridge vlan_filtering 1` },
    );
  }
  return bridge;
}

function joinLines(wish: TapSpec, bridge: BridgeFacts, facts: Omit<PlanFacts, 'leftovers' | 'user'>): string[] {
  const { tap, machine } = wish;
  return [
    words(
      'link set dev',
      tap,
      facts.scope && `alias ${ownerAlias({ scope: facts.scope, machine, locked: hasRules(wish) })}`,
      wish.mac !== '' && `address ${hostSideMac(wish.mac)}`,
      // A port with a smaller MTU than the bridge's would make the bridge follow it down.
      `mtu ${wish.mtu ?? bridge.mtu}`,
      // The host must not talk to the guest from an IPv6 address of the tap itself.
      facts.ipv6 && 'addrgenmode none',
      `master ${bridge.name}`,
    ),
    ...(wish.isolated ? [`link set dev ${tap} type bridge_slave isolated on`] : []),
    // A separate message: together with the rest it would be applied first, and the tap would get an IPv6 address and
    // could talk to all other ports.
    `link set dev ${tap} up`,
  ];
}

/** See bridge(8), "bridge vlan add": frames of the guest carry no tag, those of the VLAN lose it on the way to it. */
function vlanLines({ tap, vlan }: TapSpec, { defaultPvid }: BridgeFacts): string[] {
  if (vlan === undefined || vlan === defaultPvid) return [];
  const leaveDefault = defaultPvid === 0 ? [] : [`vlan del dev ${tap} vid ${defaultPvid}`];
  return [...leaveDefault, `vlan add dev ${tap} vid ${vlan} pvid untagged`];
}

function words(...parts: readonly (string | false | undefined)[]): string {
  return parts.filter((part) => part !== false && part !== undefined).join(' ');
}

/**
 * The address of the host's end of a tap: the NIC's own, starting with FE. A bridge without a fixed address takes the
 * lowest of its ports', so that with a lower one the bridge's address would change whenever a machine starts.
 */
export function hostSideMac(mac: string): string {
  // Equal addresses on both ends would make the bridge keep for itself what is sent to the guest.
  return (/^fe/i.test(mac) ? 'fa' : 'fe') + mac.slice(2).toLowerCase();
}
