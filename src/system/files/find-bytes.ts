/**
 * Where a sequence of bytes begins for the last time in others; -1 when it is not there. The time is proportional to
 * the length of both, whatever is in them: what Buffer has for that takes their product for bytes that an attacker
 * chose to that end.
 *
 * Knuth, Morris and Pratt: Fast Pattern Matching in Strings, SIAM Journal on Computing 6 (1977), from the end on.
 */
export function lastPlaceOf(wanted: Buffer, bytes: Buffer): number {
  if (wanted.length === 0) return bytes.length;
  const fallback = fallbackOf(wanted);
  let matched = 0;
  for (let at = bytes.length - 1; at >= 0; at--) {
    while (matched > 0 && bytes[at] !== fromEnd(wanted, matched)) matched = fallback[matched - 1] ?? 0;
    if (bytes[at] === fromEnd(wanted, matched)) matched += 1;
    if (matched === wanted.length) return at;
  }
  return -1;
}

/** For each number of bytes at the end, less one: how many of these are at their beginning, too. */
function fallbackOf(wanted: Buffer): Uint32Array {
  const fallback = new Uint32Array(wanted.length);
  let matched = 0;
  for (let at = 1; at < wanted.length; at++) {
    while (matched > 0 && fromEnd(wanted, at) !== fromEnd(wanted, matched)) matched = fallback[matched - 1] ?? 0;
    if (fromEnd(wanted, at) === fromEnd(wanted, matched)) matched += 1;
    fallback[at] = matched;
  }
  return fallback;
}

function fromEnd(bytes: Buffer, at: number): number | undefined {
  return bytes[bytes.length - 1 - at];
}
