/** What the order of machines depends on. */
export interface OrderedMachine {
  readonly longName: string;
  readonly shortName: string | undefined;
  readonly bootOrder: number;
  /** Ids as written. */
  readonly requires: readonly string[];
}

/** Machines that one starts after, by long name; it stops before them. */
export interface MachineOrder {
  /** Those it requires. */
  readonly requires: readonly string[];
  /** Those it requires, and those of a lower boot order. */
  readonly after: readonly string[];
}

/**
 * The order of machines as edges between them. REQUIRES overrides BOOTORDER: a required machine counts as no later
 * than the one that requires it, so there are no cycles, which systemd would break by leaving out a machine. Machines
 * that require each other do not wait for each other. Unknown ids are kept: systemd then reports what is missing.
 */
export function orderMachines(machines: readonly OrderedMachine[]): Map<string, MachineOrder> {
  const longNames = new Map(
    machines.flatMap(({ longName, shortName }) => [longName, shortName ?? longName].map((id) => [id, longName])),
  );
  const requires = new Map(
    machines.map((each) => [each.longName, unique(each.requires.map((id) => longNames.get(id) ?? id))]),
  );
  const reach = new Map(machines.map(({ longName }) => [longName, reachable(longName, requires)]));
  const effective = new Map(machines.map(({ longName, bootOrder }) => [longName, bootOrder]));
  for (const { longName, bootOrder } of machines) {
    for (const needed of reach.get(longName) ?? []) {
      effective.set(needed, Math.min(effective.get(needed) ?? bootOrder, bootOrder));
    }
  }
  return new Map(
    machines.map(({ longName }) => {
      const own = effective.get(longName) ?? 0;
      const needs = requires.get(longName) ?? [];
      const earlier = machines.filter((other) => (effective.get(other.longName) ?? 0) < own);
      // Two machines that require each other cannot wait for each other.
      const awaited = needs.filter((needed) => !reach.get(needed)?.has(longName));
      return [
        longName,
        {
          requires: needs.filter((needed) => needed !== longName),
          after: unique([...awaited, ...earlier.map((other) => other.longName)]),
        },
      ];
    }),
  );
}

/** All that a machine requires, directly or indirectly; itself only if it is part of a cycle. */
function reachable(from: string, requires: ReadonlyMap<string, readonly string[]>): Set<string> {
  const found = new Set<string>();
  const open = [...(requires.get(from) ?? [])];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    open.push(...(requires.get(name) ?? []));
  }
  return found;
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
