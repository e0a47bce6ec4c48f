/**
 * An IPv6 network as two numbers of 32 hexadecimal digits: its mask, and its address with the bits outside of the mask
 * cleared.
 *
 * @param address any text that `isIPv6` of node:net takes, without a zone.
 * @param prefixLength 0–128.
 */
export function ipv6Bits(address: string, prefixLength: number): { value: string; mask: string } {
  const all = (1n << 128n) - 1n;
  const mask = all ^ (all >> BigInt(prefixLength));
  return { value: hex(BigInt(`0x${addressDigits(address)}`) & mask), mask: hex(mask) };
}

function addressDigits(address: string): string {
  // RFC 4291 §2.2: eight groups, one run of zero groups as "::", the last two perhaps as an IPv4 address.
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const plain = dotted === null ? address : address.slice(0, dotted.index) + dottedGroups(dotted.slice(1, 5));
  const [head = '', tail] = plain.split('::');
  const first = head.split(':').filter((group) => group !== '');
  const last = (tail ?? '').split(':').filter((group) => group !== '');
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => '0');
  return [...first, ...zeros, ...last].map((group) => group.padStart(4, '0')).join('');
}

function dottedGroups(bytes: readonly string[]): string {
  const digits = bytes.map((byte) => Number(byte).toString(16).padStart(2, '0')).join('');
  return `${digits.slice(0, 4)}:${digits.slice(4)}`;
}

function hex(value: bigint): string {
  return value.toString(16).padStart(32, '0');
}

/** The link-local address that an interface makes of its MAC (RFC 4291, appendix A: modified EUI-64). */
export function linkLocalOf(mac: string): string {
  const [first = 0, ...rest] = mac.split(':').map((byte) => Number.parseInt(byte, 16));
  const bytes = [first ^ 2, ...rest.slice(0, 2), 0xff, 0xfe, ...rest.slice(2)];
  const digits = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `fe80::${digits.match(/.{4}/g)?.join(':')}`;
}
