const KIB = 1024;

/** Bytes of a unit of `-m`. */
const UNITS: Readonly<Record<string, number>> = { B: 1, K: KIB, M: KIB ** 2, G: KIB ** 3, T: KIB ** 4 };

/** on, yes, true, 1 → true; off, no, false, 0 → false; in any case. */
export function parseBoolean(text: string): boolean | undefined {
  switch (text.toLowerCase()) {
    case 'on':
    case 'yes':
    case 'true':
    case '1':
      return true;
    case 'off':
    case 'no':
    case 'false':
    case '0':
      return false;
    default:
      return undefined;
  }
}

/** A whole decimal number without a sign. */
export function parseInteger(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/**
 * Bytes of a memory size as QEMU's `-m` reads it: a bare number is MiB; K, M, G and T are powers of 1024, `GB` and
 * `GiB` are the same as `G`, and a fraction such as `1.5G` is taken when it is a whole number of KiB.
 */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,9})?)[ \t]*(?:(B)|([KMGT])(?:i?B)?)?$/i.exec(text);
  if (!match) return undefined;
  const unit = (match[2] ?? match[3] ?? 'M').toUpperCase();
  const bytes = Number(match[1]) * (UNITS[unit] ?? 1);
  return Number.isSafeInteger(bytes) && bytes % KIB === 0 ? bytes : undefined;
}

/** Bytes in the largest unit that is exact: `2G`, `1536M`. */
export function renderSize(bytes: number): string {
  if (bytes === 0) return '0';
  const unit = ['T', 'G', 'M', 'K'].find((name) => bytes % (UNITS[name] ?? 1) === 0) ?? 'B';
  return `${bytes / (UNITS[unit] ?? 1)}${unit}`;
}

/** Lower-case UUID; undefined when the text is none. */
export function parseUuid(text: string): string | undefined {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text) ? text.toLowerCase() : undefined;
}

/** Six hexadecimal bytes with colons, in any case. */
export function isMac(text: string): boolean {
  return /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.test(text);
}

/** Whether the address is one of a group (IEEE 802: lowest bit of the first byte), which no NIC can have. */
export function isMulticastMac(mac: string): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;
}

/** Dotted decimal. */
export function isIpv4(text: string): boolean {
  return /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.|$)){4}$/.test(text) && !text.endsWith('.');
}

/** RFC 4291 text, without brackets and zone. */
export function isIpv6(text: string): boolean {
  return /^[0-9a-fA-F:.]{2,45}$/.test(text) && URL.canParse(`http://[${text}]`);
}

/** A host name of letters, digits, dots and hyphens. */
export function isHostName(text: string): boolean {
  return text.length <= 253 && /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*$/.test(text);
}

/** Longest name of a network interface: IFNAMSIZ of Linux less its final NUL. */
export const INTERFACE_NAME_MAX_BYTES = 15;

/** Whether Linux takes the text as the name of an interface (dev_valid_name of net/core/dev.c), and `ip` as a word. */
export function isInterfaceName(name: string): boolean {
  if (name === '.' || name === '..' || Buffer.byteLength(name) > INTERFACE_NAME_MAX_BYTES) return false;
  // A dash in front is an option to ip(8), a quote or backslash is read by its batch mode, and "%" is a number to be filled in.
  return /^[^\s/:%"'\\#-][^\s/:%"'\\#]*$/u.test(name);
}

/** What {@link isInterfaceName} allows, for messages. */
export const INTERFACE_NAME_RULE =
  'a name has 1 to 15 bytes without blanks, "/", ":", "%", "#", quotes and backslashes, and does not start with "-"';
