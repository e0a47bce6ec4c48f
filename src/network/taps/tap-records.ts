import { join } from 'node:path';
import { isInterfaceName } from '../../config/text/values.ts';
import {
  ensureDir,
  nameOfTemporary,
  namesIn,
  readTextIfExists,
  removeWithLeftovers,
  writeFileAtomic,
} from '../../system/files/files.ts';
import { parseTapRecord } from '../note.ts';
import type { TapSpec } from './tap-spec.ts';

/**
 * Notes what each tap is, one file a tap, for the bridge hooks and for cleaning up. To be done before QEMU or `ip` makes
 * the first tap: what has a note is found and removed whenever this process is killed.
 *
 * @param tapsDir `tapsDir` of the scope.
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`.
 */
export function writeTapRecords(specs: readonly TapSpec[], tapsDir: string): void {
  if (specs.length === 0) return;
  ensureDir(tapsDir, 0o700);
  for (const wish of specs) writeFileAtomic(join(tapsDir, wish.tap), `${JSON.stringify(wish)}\n`, 0o600);
}

/** The names of the taps that there are notes of, whole ones or such as nobody has finished. */
export function recordedTaps(tapsDir: string): string[] {
  const names = namesIn(tapsDir).map((name) => nameOfTemporary(name) ?? name);
  return [...new Set(names.filter((name) => isInterfaceName(name)))];
}

/** The note of a tap; undefined when there is none or it is damaged. */
export function readTapRecord(tap: string, tapsDir: string): TapSpec | undefined {
  const text = readTextIfExists(join(tapsDir, tap));
  return text === undefined ? undefined : parseTapRecord(text);
}

export function removeTapRecord(tap: string, tapsDir: string): void {
  removeWithLeftovers(join(tapsDir, tap));
}
