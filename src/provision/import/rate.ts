import { renderSize } from '../../config/text/values.ts';

const KIB = 1024;

/** Less is not a value of `rate=`. */
const LEAST_KIB = 64;

/** Value of `rate=` for bytes a second, in whole KiB; undefined for less than it can be. */
export function rateOption(bytes: number): string | undefined {
  const kib = Math.floor(bytes / KIB);
  return kib >= LEAST_KIB && Number.isSafeInteger(kib * KIB) ? renderSize(kib * KIB) : undefined;
}
