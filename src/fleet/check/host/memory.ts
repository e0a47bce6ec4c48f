import { totalmem } from 'node:os';
import type { Problem } from '../../../base/problem.ts';
import type { MachineConfig } from '../../../config/types.ts';

/** Whether the host has the memory of all machines that it starts at boot. */
export function checkMemory(configs: readonly MachineConfig[], hostBytes: number = totalmem()): Problem[] {
  const machines = configs.filter(({ autostart }) => autostart);
  const bytes = machines.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  if (bytes <= hostBytes) return [];
  return [
    {
      severity: 'warning',
      machine: undefined,
      message: 'More memory is promised than there is',
      detail: `the ${machines.length} machines with AUTOSTART=on have ${inMib(bytes)} of RAM together, the host ${inMib(hostBytes)}: when guests use it all, Linux ends one of them`,
      hint: 'less RAM in some of them, AUTOSTART=off for others, or more swap',
    },
  ];
}

function inMib(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MiB`;
}
