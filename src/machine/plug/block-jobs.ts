import { QemuError } from '../../base/errors.ts';
import { asArray, asNumber, asRecord, asText } from '../../base/guards.ts';
import { shellCommand } from '../../config/text/shell-words.ts';

/** Names of the block nodes that each job works on, by the id of the job. */
export type JobNodes = ReadonlyMap<string, ReadonlySet<string>>;

/** The same from the answer to `x-debug-query-block-graph`. Pure. */
export function jobNodesOf(graph: unknown): JobNodes {
  const { nodes, edges } = asRecord(graph);
  const known = asArray(nodes).map(asRecord);
  const names = new Map(known.map(({ id, name }) => [asNumber(id), asText(name)]));
  const children = new Map<number, number[]>();
  for (const { parent, child } of asArray(edges).map(asRecord)) {
    children.set(asNumber(parent), [...(children.get(asNumber(parent)) ?? []), asNumber(child)]);
  }
  const nodesBelow = (job: number): Set<string> => {
    const seen = new Set(children.get(job));
    // What is added meanwhile is visited, too.
    for (const id of seen) for (const child of children.get(id) ?? []) seen.add(child);
    return new Set([...seen].flatMap((id) => names.get(id) ?? []));
  };
  const jobs = known.filter(({ type }) => type === 'block-job');
  return new Map(jobs.map(({ id, name }) => [asText(name), nodesBelow(asNumber(id))]));
}

/**
 * Refuses to take disks out that a job of another program works on: the guest would lose the disk at once, and QEMU keep
 * its image until the job ends.
 *
 * @param keys `DSK1`.
 * @throws {QemuError} `QEMU_LOCKED`
 */
export function refuseDisksOfJobs(longName: string, keys: readonly string[], jobs: JobNodes): void {
  for (const key of keys) {
    const isOfDisk = (node: string): boolean => node.startsWith(`${key.toLowerCase()}-`);
    const [job] = [...jobs].find(([, nodes]) => [...nodes].some(isOfDisk)) ?? [];
    if (job === undefined) continue;
    throw new QemuError('QEMU_LOCKED', `Cannot take ${key} out of "${longName}": job "${job}" is at work on it`, {
      hint: `nothing was done; wait for its end, or end it: ${shellCommand('qemu-init', 'jobs', 'cancel', longName, job)}`,
    });
  }
}
