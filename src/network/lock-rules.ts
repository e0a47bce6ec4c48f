import { ipv6Bits } from './ipv6-bits.ts';
import type { TapWish } from './wishes.ts';

/**
 * Rules for `nft -f -` that let nothing leave the guest but frames from its own MAC and, when addresses are given, packets
 * from those. They stand in a table of the tap's own, at the tap's ingress: other machines' rules are not touched when
 * it comes and goes, and a frame passes only the rules of the tap that it came through (nft(8), "netdev" family).
 */
export function lockRules({ tap, mac, addresses }: Pick<TapWish, 'tap' | 'mac' | 'addresses'>): string {
  const ipv4 = addresses.filter((address) => !address.includes(':'));
  const ipv6 = addresses.filter((address) => address.includes(':'));
  return `${unlockRules(tap)}table netdev ${tableName(tap)} {
${ipv6.length > 0 ? neighbourChain([LINK_LOCAL, ...ipv6]) : ''}  chain ingress {
    type filter hook ingress device "${tap}" priority -500; policy accept;
${[...macRules(mac), ...(addresses.length > 0 ? [...ipv4Rules(ipv4), ...ipv6Rules(ipv6), 'drop'] : [])]
  .map((rule) => `    ${rule}\n`)
  .join('')}  }
}
`;
}

/** Removes the rules of a tap. Nothing happens when there are none: adding what is there already is no error to nft. */
export function unlockRules(tap: string): string {
  return `add table netdev ${tableName(tap)}\ndelete table netdev ${tableName(tap)}\n`;
}

/** Start of the names of our tables. */
const LOCK_TABLE_PREFIX = 'qemu-init.';

const LINK_LOCAL = 'fe80::/10';

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
    ...addresses.map((address) => `ip saddr ${address} accept`),
  ];
}

function ipv6Rules(addresses: readonly string[]): string[] {
  if (addresses.length === 0) return [];
  return [
    'icmpv6 type { nd-router-advert, nd-redirect } drop',
    'icmpv6 type nd-neighbor-advert jump neighbour',
    'ip6 saddr :: icmpv6 type nd-neighbor-solicit jump neighbour',
    // The guest asks whether an address is free, and reports groups (RFC 4862 §5.4, RFC 3810 §5.2.13).
    'ip6 saddr :: meta l4proto ipv6-icmp accept',
    ...[LINK_LOCAL, ...addresses].map((address) => `ip6 saddr ${address} accept`),
  ];
}

/** The guest may claim only its own addresses. The claimed one is 8 bytes into the ICMPv6 message (RFC 4861 §4.3, §4.4). */
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
