/** The owner of a tap, according to its alias in the kernel (`ip link set … alias`, ifalias in sysfs). */
export interface TapOwner {
  /** Distinguishes scopes, which may have machines with the same name. */
  readonly scope: string;
  /** Long name. */
  readonly machine: string;
  /** The tap has rules in the packet filter. */
  readonly locked: boolean;
}

/** The alias that marks a tap as ours. It stays with the tap even if all our files are lost. */
export function ownerAlias(owner: TapOwner): string {
  return `qemu-init:${owner.scope}:${owner.machine}${owner.locked ? ':locked' : ''}`;
}

/** The inverse of {@link ownerAlias}; undefined for an alias of another program. */
export function parseOwnerAlias(alias: string | undefined): TapOwner | undefined {
  const match = /^qemu-init:([0-9a-f]{8}):([^:]+)(:locked)?$/.exec(alias ?? '');
  if (match === null) return undefined;
  return { scope: match[1] ?? '', machine: match[2] ?? '', locked: match[3] !== undefined };
}
