/**
 * Groups items by their boot order, lowest first. Within a group they keep the order that they came in.
 */
export function byBootOrder<T>(items: readonly T[], bootOrderOf: (item: T) => number): T[][] {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const order = bootOrderOf(item);
    const group = groups.get(order);
    if (group) group.push(item);
    else groups.set(order, [item]);
  }
  return [...groups.entries()].sort(([a], [b]) => a - b).map(([, group]) => group);
}
