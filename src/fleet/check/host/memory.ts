import { totalmem } from 'node:os';
import type { Problem } from '../../../base/problem.ts';
import type { MachineConfig } from '../../../config/types.ts';

/** Whether the host has enough memory for all machines that start at boot. */
export function checkMemory(configs: readonly MachineConfig[], hostBytes: number = totalmem()): Problem[] {
  const machines = configs.filter(({ autostart }) => autostart);
  const bytes = machines.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  if (bytes <= hostBytes) return [];
  return [
    {
      severity: 'warning',
      machine: undefined,
      message: 'The machines have more memory than the host',
      detail: `the ${machines.length} machines with AUTOSTART=on have ${inMib(bytes)} of RAM in total, the host has ${inMib(hostBytes)}: if the guests use it all, Linux kills one of them`,
      hint: 'reduce the RAM of some, set AUTOSTART=off in others, or add swap',
    },
  ];
}

function inMib(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MiB`;
}
