/** Units that systemd is about to stop, and its order between them. */
export interface StopOrder {
  /** All that are to be stopped. */
  readonly units: ReadonlySet<string>;
  /** By unit, those that it is Before=: they are started after it, and therefore stopped before it. */
  readonly before: ReadonlyMap<string, readonly string[]>;
}

/** Those of `wanted` that may stop now in systemd's order, when `done` are down. Pure. */
export function nextWave(order: StopOrder, wanted: Iterable<string>, done: ReadonlySet<string>): string[] {
  return [...wanted].filter((unit) => {
    const first = order.before.get(unit);
    return first?.every((other) => other === unit || done.has(other) || !order.units.has(other)) === true;
  });
}

/** The units that have a stop or restart job in the output of `systemctl list-jobs --plain --no-legend`. Pure. */
export function stopJobsIn(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [, unit, type] = line.trim().split(/\s+/);
    return unit !== undefined && (type === 'stop' || type === 'restart') ? [unit] : [];
  });
}

/** `Before` of units in the output of `systemctl show --property=Id,Before UNIT…`. Pure. */
export function orderIn(text: string): Map<string, readonly string[]> {
  return new Map(
    text.split(/\n\n+/).flatMap((block) => {
      const id = /^Id=(.*)$/m.exec(block)?.[1];
      const before = /^Before=(.*)$/m.exec(block)?.[1];
      return id === undefined || before === undefined ? [] : [[id, before.split(' ').filter(Boolean)] as const];
    }),
  );
}
