import { BOARD_KEYS } from './keys/board.ts';
import { BOOT_KEYS } from './keys/boot.ts';
import { CHANNELS_KEYS } from './keys/channels.ts';
import { HARDWARE_KEYS } from './keys/hardware.ts';
import { HOST_DEVICES_KEYS } from './keys/host-devices.ts';
import { IDENTITY_KEYS } from './keys/identity.ts';
import type { KeySpec } from './keys/key-spec.ts';
import { LIFE_KEYS } from './keys/life.ts';
import { MONITOR_TABLE } from './keys/monitor.ts';
import { NETWORK_KEYS } from './keys/network.ts';
import { RIGHTS_KEYS } from './keys/rights.ts';
import { STORAGE_KEYS } from './keys/storage.ts';

const TABLE = [
  ...IDENTITY_KEYS,
  ...HARDWARE_KEYS,
  ...BOARD_KEYS,
  ...BOOT_KEYS,
  ...STORAGE_KEYS,
  ...NETWORK_KEYS,
  ...CHANNELS_KEYS,
  ...RIGHTS_KEYS,
  ...LIFE_KEYS,
  ...HOST_DEVICES_KEYS,
] as const satisfies readonly KeySpec[];

/** Name of a key, or stem of a family, of a machine's file. */
export type KeyName = (typeof TABLE)[number]['name'];

/** The keys of `<name>-qemu.cfg` and `defaults-qemu.cfg`, in the order of the template. */
export const KEYS: readonly (KeySpec & { readonly name: KeyName })[] = TABLE;

export type MonitorKeyName = (typeof MONITOR_TABLE)[number]['name'];

/** The keys of `monitor.conf`. */
export const MONITOR_KEYS: readonly (KeySpec & { readonly name: MonitorKeyName })[] = MONITOR_TABLE;

/** Section of a machine's file that holds raw QEMU options. */
export const CUSTOM_SECTION = 'custom';

const BY_NAME = new Map<string, KeySpec & { readonly name: KeyName }>(KEYS.map((spec) => [spec.name, spec]));
const FAMILIES = new Map<string, KeySpec & { readonly name: KeyName }>(
  KEYS.filter(({ family }) => family).map((spec) => [stemOf(spec), spec]),
);

/** The key as written; for a family without its number. */
export function stemOf({ name, stem }: KeySpec): string {
  return stem ?? name;
}

/** The key as written; for a family its first member. */
export function firstKey(spec: KeySpec): string {
  return spec.family ? `${stemOf(spec)}1` : spec.name;
}

/** How the key is written in documents: `RAM`, `DSKx`. */
export function keyPattern(spec: KeySpec): string {
  return spec.family ? `${stemOf(spec)}x` : spec.name;
}

/** The table entry of a key as written: `DSK12` belongs to the family DSK. */
export function findKey(key: string): (KeySpec & { readonly name: KeyName }) | undefined {
  const spec = BY_NAME.get(key);
  if (spec !== undefined && !spec.family) return spec;
  return FAMILIES.get(/^([A-Z]+)\d+$/.exec(key)?.[1] ?? '');
}

/** The table entry of that name or stem. */
export function keySpec(name: KeyName): KeySpec {
  const spec = BY_NAME.get(name);
  if (spec === undefined) throw new TypeError(`No key ${name}`);
  return spec;
}
