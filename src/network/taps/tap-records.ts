import { join } from 'node:path';
import { isInterfaceName } from '../../config/text/values.ts';
import { ensureDir, namesIn, readTextIfExists } from '../../system/files/files.ts';
import { nameOfTemporary, removeWithLeftovers, writeFileAtomic } from '../../system/files/write-file.ts';
import type { TapSpec } from './tap-spec.ts';

/**
 * Writes a note for each tap, one file per tap, for the bridge hooks and for cleaning up. To be called before QEMU or
 * `ip` makes the first tap: a tap with a note is found and removed even if this process is killed.
 *
 * @param tapsDir `tapsDir` of the scope.
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`.
 */
export function writeTapRecords(specs: readonly TapSpec[], tapsDir: string): void {
  if (specs.length === 0) return;
  ensureDir(tapsDir, 0o700);
  for (const wish of specs) writeFileAtomic(join(tapsDir, wish.tap), `${JSON.stringify(wish)}\n`, 0o600);
}

/** The names of the taps with a note, finished or not. */
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

/** The properties in a note; undefined when the text is not a complete note. */
export function parseTapRecord(text: string): TapSpec | undefined {
  try {
    const note: unknown = JSON.parse(text);
    return isWish(note) ? note : undefined;
  } catch {
    return undefined;
  }
}

function isWish(value: unknown): value is TapSpec {
  if (typeof value !== 'object' || value === null) return false;
  const note: Partial<Record<keyof TapSpec, unknown>> = value;
  return (
    [note.tap, note.machine, note.bridge, note.mac].every((text) => typeof text === 'string') &&
    isInterfaceName(String(note.tap)) &&
    isInterfaceName(String(note.bridge)) &&
    [note.index, note.queues].every((number) => Number.isSafeInteger(number)) &&
    [note.mtu, note.vlan, note.rate].every((number) => number === undefined || Number.isSafeInteger(number)) &&
    typeof note.isolated === 'boolean' &&
    typeof note.lock === 'boolean' &&
    Array.isArray(note.addresses) &&
    note.addresses.every((address) => typeof address === 'string')
  );
}
