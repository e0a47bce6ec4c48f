import { isInterfaceName } from '../config/text/values.ts';
import type { TapSpec } from './taps/tap-spec.ts';

/** The wish that a note holds; undefined when the text is no whole note. */
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
    [note.mtu, note.vlan].every((number) => number === undefined || Number.isSafeInteger(number)) &&
    typeof note.isolated === 'boolean' &&
    typeof note.lock === 'boolean' &&
    Array.isArray(note.addresses) &&
    note.addresses.every((address) => typeof address === 'string')
  );
}
