import { renderRange } from '../../../config/hardware/numa.ts';
import { renderSize } from '../../../config/text/values.ts';
import type { MachineConfig } from '../../../config/types.ts';
import { object, option, type Part } from '../description.ts';
import { properties } from '../option.ts';
import { memoryBacking } from './memory.ts';

/** The nodes, each with its own memory. */
export function numaParts({ numa, ...config }: Pick<MachineConfig, 'numa' | 'shares' | 'hugePages'>): Part[] {
  const backing = memoryBacking(config);
  const type = backing?.type ?? 'memory-backend-ram';
  return numa.flatMap(({ index, memoryBytes, cpus, hostNodes, policy }) => {
    const key = `NUMA${index}`;
    const id = `numa${index}`;
    const memory = {
      size: renderSize(memoryBytes),
      'host-nodes': hostNodes,
      policy: hostNodes && policy,
      ...backing?.properties,
    };
    const node = [`nodeid=${index - 1}`, ...cpus.map((range) => `cpus=${renderRange(range)}`), `memdev=${id}`];
    return [object(key, type, id, memory), option(key, '-numa', properties('node', ...node))];
  });
}
