import { createHash } from 'node:crypto';
import { INTERFACE_NAME_MAX_BYTES } from '../../config/text/values.ts';

/**
 * The name of a machine's tap: `web.1` for NIC1 of `web`; for a long name its first letters, a hash and the number,
 * such as `databa-k3v9qx.1`. The same machine and number give the same name always. A plain name has at most 14 bytes
 * and a hashed one exactly 15, so that the two kinds never meet.
 *
 * @param machine long name of the machine.
 * @param nicIndex x of NICx, from 1.
 */
export function tapName(machine: string, nicIndex: number): string {
  const suffix = `.${nicIndex}`;
  const plain = machine + suffix;
  if (plain.length < INTERFACE_NAME_MAX_BYTES) return plain;
  const prefixLength = INTERFACE_NAME_MAX_BYTES - suffix.length - HASH_LENGTH - 1;
  return `${machine.slice(0, prefixLength)}-${shortHash(machine)}${suffix}`;
}

/** A test for the names of the machine's taps, made for going through a long list. */
export function tapMatcher(machine: string): (name: string) => boolean {
  const names = new Map<string, string>();
  return (name) => {
    const index = NUMBER_AT_END.exec(name)?.[1];
    if (index === undefined) return false;
    const own = names.get(index) ?? tapName(machine, Number(index));
    names.set(index, own);
    return own === name;
  };
}

const NUMBER_AT_END = /\.([1-9]\d{0,3})$/;

/** 36^6 hashes: among 200 machines that share a prefix two meet once in 100,000 fleets. */
const HASH_LENGTH = 6;

function shortHash(text: string): string {
  const number = createHash('sha256').update(text).digest().readUIntBE(0, 6);
  return (number % 36 ** HASH_LENGTH).toString(36).padStart(HASH_LENGTH, '0');
}
