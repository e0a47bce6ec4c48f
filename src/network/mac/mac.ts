import { createHash } from 'node:crypto';

/** First four bytes of every derived address: locally administered and unicast (IEEE 802 §8.2). */
const MAC_PREFIX = 'DE:AD:BE:EF';

/** How many addresses {@link MAC_PREFIX} has room for. */
export const MAC_COUNT = 0x1_0000;

/**
 * The candidate addresses of a NIC, which gets the first free one: {@link MAC_PREFIX} and bytes 0–1 of SHA-256(NAME ‖
 * 0x00 ‖ OS ‖ 0x00 ‖ x in decimal), then bytes 2–3 and so on, then those of the hash of the hash. The sequence is
 * endless.
 *
 * @param name NAME of the machine.
 * @param os OS of the machine.
 * @param index x of NICx, from 1.
 */
export function* macCandidates(name: string, os: string, index: number): Generator<string, never> {
  let hash = createHash('sha256').update(`${name}\0${os}\0${index}`).digest();
  for (;;) {
    for (let offset = 0; offset < hash.length; offset += 2)
      yield `${MAC_PREFIX}:${hex(hash, offset)}:${hex(hash, offset + 1)}`;
    hash = createHash('sha256').update(hash).digest();
  }
}

/**
 * The address in the form used for storing and comparing: upper case with colons.
 *
 * @returns undefined when a NIC cannot have that address: not six bytes, a group address, or all zeros.
 */
export function normalizeMac(text: string): string | undefined {
  if (!/^[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}$/i.test(text)) return undefined;
  const mac = text.replaceAll('-', ':').toUpperCase();
  const isGroup = (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;
  return isGroup || mac === '00:00:00:00:00:00' ? undefined : mac;
}

function hex(bytes: Buffer, offset: number): string {
  return bytes.readUInt8(offset).toString(16).toUpperCase().padStart(2, '0');
}
