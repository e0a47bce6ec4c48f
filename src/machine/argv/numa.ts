import { renderRange } from '../../config/numa.ts';
import { renderSize } from '../../config/text/values.ts';
import type { NumaNode } from '../../config/types.ts';
import { object, option, type Part } from './description.ts';
import { properties } from './option.ts';

/** The nodes, each with its own memory. */
export function numaParts(nodes: readonly NumaNode[]): Part[] {
  return nodes.flatMap(({ index, memoryBytes, cpus, hostNodes, policy }) => {
    const key = `NUMA${index}`;
    const id = `numa${index}`;
    const memory = { size: renderSize(memoryBytes), 'host-nodes': hostNodes, policy: hostNodes && policy };
    const node = [`nodeid=${index - 1}`, ...cpus.map((range) => `cpus=${renderRange(range)}`), `memdev=${id}`];
    return [object(key, 'memory-backend-ram', id, memory), option(key, '-numa', properties('node', ...node))];
  });
}
