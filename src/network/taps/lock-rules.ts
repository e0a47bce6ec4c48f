import { ipv6Bits, linkLocalOf } from './ipv6-bits.ts';
import type { TapSpec } from './tap-spec.ts';

/**
 * Rules for `nft -f -`. With `lock` they let nothing leave the guest but frames from its own MAC and, when addresses are given,
 * packets from those and from the link-local address that belongs to the MAC, except messages of a router or a DHCP
 * server. They are in a separate table for each tap, at the tap's ingress: other machines' rules are not touched when
 * it comes and goes, and a frame passes only the rules of the tap that it came through (nft(8), "netdev" family).
 */
export function tapRules({ tap, mac, addresses, lock, rate }: RuledTap): string {
  const ipv4 = addresses.filter((address) => !address.includes(':'));
  const given = addresses.filter((address) => address.includes(':'));
  const ipv6 = given.length === 0 ? [] : [linkLocalOf(mac), ...given];
  return `${unlockRules(tap)}table netdev ${tableName(tap)} {
${ipv6.length > 0 ? neighbourChain(ipv6) : ''}  chain ingress {
    type filter hook ingress device "${tap}" priority -500; policy accept;
${[
  ...rateRules(rate),
  ...(lock ? macRules(mac) : []),
  ...(addresses.length > 0 ? [...DHCP_SERVER_RULES, ...ipv4Rules(ipv4), ...ipv6Rules(ipv6), 'drop'] : []),
]
  .map((rule) => `    ${rule}\n`)
  .join('')}  }
${egressChain(tap, rate)}}
`;
}

type RuledTap = Pick<TapSpec, 'tap' | 'mac' | 'addresses' | 'lock' | 'rate'>;

/**
 * What comes faster is dropped, which TCP takes as a sign to slow down. After a pause what a second lets through may come at
 * once, and the burst: the kernel's bucket holds both (nft_limit_init() of Linux).
 */
function rateRules(rate: number | undefined): string[] {
  if (rate === undefined) return [];
  const burst = Math.max(LEAST_BURST, Math.round(rate / 10));
  return [`limit rate over ${rate} bytes/second burst ${burst} bytes drop`];
}

/** Several packets of the size that the kernel makes of what one connection sends. */
const LEAST_BURST = 256 * 1024;

/** What goes to the guest. Kernels before 5.16 have no such hook, so there is none when nothing needs it. */
function egressChain(tap: string, rate: number | undefined): string {
  return rateRules(rate)
    .map((rule) => {
      const hook = `type filter hook egress device "${tap}" priority -500; policy accept;`;
      return `  chain egress {\n    ${hook}\n    ${rule}\n  }\n`;
    })
    .join('');
}

/** Whether the tap has rules in the packet filter. */
export function hasRules({ lock, rate }: Pick<TapSpec, 'lock' | 'rate'>): boolean {
  return lock || rate !== undefined;
}

/** Removes the rules of a tap. Nothing happens when there are none: nft accepts adding what already exists. */
export function unlockRules(tap: string): string {
  return `add table netdev ${tableName(tap)}\ndelete table netdev ${tableName(tap)}\n`;
}

/** Start of the names of our tables. */
const LOCK_TABLE_PREFIX = 'qemu-init.';

/**
 * DHCP servers answer from ports 67 and 547 to ports 68 and 546 (RFC 2131 §4.1, RFC 8415 §7.2). Many clients look at
 * the latter only. No guest is the other side of this but a server or a relay.
 */
const DHCP_SERVER_RULES = ['udp sport { 67, 547 } drop', 'udp dport { 68, 546 } drop'];

/**
 * Matches when the packet's headers could be read at all; others are not accepted, since some receivers are less
 * strict.
 */
const KNOWN = 'meta l4proto != 255';

/**
 * Extension headers, where the kernel stops at one that it does not know or that is cut off: what another receiver
 * would find after it is not known here. IANA, "IPv6 Extension Header Types".
 */
const NO_EXTENSION = 'meta l4proto != { 0, 43, 44, 51, 58, 59, 60, 135, 139, 140, 253, 254, 255 }';

/** ICMPv6 whose type can be read; what may not pass has been dropped before. */
const READABLE_ICMPV6 = 'icmpv6 type != nd-router-advert';

/**
 * What can be in fragments, none of it with ICMPv6 inside; a header before it would hide ICMPv6 from rules (RFC 6980,
 * RFC 7112).
 */
const IN_FRAGMENTS = '{ tcp, udp, udplite, sctp, dccp, esp }';

function tableName(tap: string): string {
  return LOCK_TABLE_PREFIX + tap;
}

function macRules(mac: string): string[] {
  return [`ether saddr != ${mac.toLowerCase()} drop`, `arp saddr ether != ${mac.toLowerCase()} drop`];
}

function ipv4Rules(addresses: readonly string[]): string[] {
  if (addresses.length === 0) return [];
  return [
    // A guest without address looks for one (RFC 2131 §4.1) and asks whether it is free (RFC 5227 §2.1.1).
    'ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept',
    ...['0.0.0.0', ...addresses].map((address) => `arp saddr ip ${address} accept`),
    ...addresses.map((address) => `ip saddr ${address} ${KNOWN} accept`),
  ];
}

function ipv6Rules(addresses: readonly string[]): string[] {
  if (addresses.length === 0) return [];
  return [
    `frag nexthdr != ${IN_FRAGMENTS} drop`,
    'icmpv6 type { nd-router-advert, nd-redirect } drop',
    'icmpv6 type nd-neighbor-advert jump neighbour',
    'ip6 saddr :: icmpv6 type nd-neighbor-solicit jump neighbour',
    // The guest asks whether an address is free, for routers, and reports groups (RFC 4862 §5.4, RFC 4861 §4.1, RFC
    // 3810 §5.2.13).
    'ip6 saddr :: icmpv6 type { nd-neighbor-solicit, nd-router-solicit, mld-listener-report, mld2-listener-report } accept',
    ...addresses.flatMap((address) => [
      `ip6 saddr ${address} ${NO_EXTENSION} accept`,
      `ip6 saddr ${address} ${READABLE_ICMPV6} accept`,
    ]),
  ];
}

/**
 * The guest may claim only its own addresses. The claimed one is 8 bytes into the ICMPv6 message (RFC 4861 §4.3, §4.4).
 */
function neighbourChain(addresses: readonly string[]): string {
  const returns = addresses.map((address) => {
    const { value, mask } = ipv6Bits(hostPart(address), prefixLength(address));
    return `    @th,64,128 & 0x${mask} == 0x${value} return\n`;
  });
  return `  chain neighbour {\n${returns.join('')}    drop\n  }\n`;
}

function hostPart(address: string): string {
  return address.split('/', 1)[0] ?? '';
}

function prefixLength(address: string): number {
  const length = address.split('/')[1];
  return length === undefined ? 128 : Number(length);
}
