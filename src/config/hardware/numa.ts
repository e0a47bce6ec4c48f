import { quote } from '../../base/text.ts';
import { NUMA_POLICIES } from '../keys/values.ts';
import { keySpec } from '../keys.ts';
import { parseOptionList, renderOptionList, type ValueContext } from '../text/option-list.ts';
import { renderSize } from '../text/values.ts';
import type { CpuRange, MachineConfig, NumaNode } from '../types.ts';
import { parseMemory, processorsOf } from './hardware.ts';

/** Reads a `NUMAx`; undefined when it has no memory. Problems are reported. */
export function parseNuma(text: string, index: number, context: ValueContext): NumaNode | undefined {
  const list = parseOptionList(text, keySpec('NUMA').options ?? [], 'word', context);
  const memoryBytes = parseMemory(list.head.trim(), context);
  const cpus = list.all('cpus').flatMap((range) => readRange(range, 'cpus', context) ?? []);
  const hostNodes = list.get('hostnodes');
  if (hostNodes !== undefined) readRange(hostNodes, 'hostnodes', context);
  else if (list.get('policy') !== undefined) context.report(`${context.key} has policy= without hostnodes=`);
  const policy = NUMA_POLICIES.find((name) => name === list.get('policy')) ?? 'bind';
  return memoryBytes === undefined ? undefined : { index, memoryBytes, cpus, hostNodes, policy };
}

/** Writes a node as {@link parseNuma} reads it. */
export function renderNuma({ memoryBytes, cpus, hostNodes, policy }: NumaNode): string {
  return renderOptionList(renderSize(memoryBytes), [
    ...cpus.map((range) => ['cpus', renderRange(range)] as const),
    ['hostnodes', hostNodes],
    ['policy', hostNodes === undefined || policy === 'bind' ? undefined : policy],
  ]);
}

/** `3` or `0-3`. */
export function renderRange({ first, last }: CpuRange): string {
  return first === last ? String(first) : `${first}-${last}`;
}

function readRange(text: string, option: string, { key, report }: ValueContext): CpuRange | undefined {
  const [, first, last = first] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(text) ?? [];
  if (first !== undefined && Number(first) <= Number(last)) return { first: Number(first), last: Number(last) };
  report(`${key} ${option} must be a number or a range such as 0-3, not ${quote(text)}`);
  return undefined;
}

/** QEMU refuses nodes that are not all of the memory, and processors that are in two nodes or in none. */
export function checkNuma(
  { numa, memoryBytes, smp, maxSmp = 0 }: MachineConfig,
  report: (key: string, message: string, hint?: string) => void,
): void {
  if (numa.length === 0) return;
  const sum = numa.reduce((total, node) => total + node.memoryBytes, 0);
  if (sum !== memoryBytes) {
    report('NUMA1', `The NUMA nodes have ${renderSize(sum)} of memory in total, but RAM is ${renderSize(memoryBytes)}`);
  }
  const count = processorsOf(smp);
  // Also those that there is room for may be in a node.
  const most = Math.max(count, maxSmp);
  const nodeOf = new Map<number, number>();
  for (const { index, cpus } of numa) {
    for (const { first, last } of cpus) {
      if (last >= most)
        report(`NUMA${index}`, `NUMA${index} has processor ${last}, but the last one of SMP is ${most - 1}`);
      for (let cpu = first; cpu <= Math.min(last, most - 1); cpu += 1) {
        const other = nodeOf.get(cpu);
        if (other !== undefined)
          report(`NUMA${index}`, `NUMA${index} has processor ${cpu}, which is also in NUMA${other}`);
        nodeOf.set(cpu, index);
      }
    }
  }
  const missing = Array.from({ length: count }, (_, cpu) => cpu).filter((cpu) => !nodeOf.has(cpu));
  if (missing.length > 0) {
    report('NUMA1', `Processor ${missing.join(', ')} of SMP is in no NUMA node`, 'add it to cpus= of a node');
  }
}
