import { hugePageBytes } from '../../../config/rights/huge-pages.ts';
import { renderSize } from '../../../config/text/values.ts';
import type { MachineConfig } from '../../../config/types.ts';
import { object, type Properties, type QemuObject } from '../description.ts';
import { virtiofsShares } from '../host-devices/helper-fds.ts';

type MemoryConfig = Pick<MachineConfig, 'shares' | 'hugePages'>;

/** Where the guest's memory comes from, if not from QEMU itself: a file in memory. */
export interface MemoryBacking {
  /** Key of the cfg file that asks for it. */
  readonly key: string;
  readonly type: 'memory-backend-memfd';
  readonly properties: Properties;
}

/**
 * Memory that another program shares, or that is in huge pages: those are taken at once, since a guest that touched one
 * that there is none for would be ended by SIGBUS. Pure.
 */
export function memoryBacking({ shares, hugePages }: MemoryConfig): MemoryBacking | undefined {
  const [share] = virtiofsShares({ shares });
  const type = 'memory-backend-memfd';
  if (hugePages !== undefined) {
    const hugetlbsize = hugePageBytes({ hugePages });
    return { key: 'HUGEPAGES', type, properties: { share: true, hugetlb: true, hugetlbsize, prealloc: true } };
  }
  return share && { key: `SHARE${share.index}`, type, properties: { share: true } };
}

/** Name of the board's memory, when it is an object. */
const MEMORY = 'ram';

/** The memory of a board if it is an object, and is not that of nodes. */
export function boardMemory(config: MachineConfig): QemuObject[] {
  const backing = memoryBacking(config);
  if (backing === undefined || config.numa.length > 0) return [];
  const { key, type, properties } = backing;
  return [object(key, type, MEMORY, { size: renderSize(config.memoryBytes), ...properties })];
}
