import type { MachineConfig } from '../../config/types.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { customFiles } from './custom-files.ts';

/** Images that lines of `[custom]` let a guest write to, which nothing but QEMU knows of: absolute paths, each once. Pure. */
export function customDisks({ custom, dir }: Pick<MachineConfig, 'custom' | 'dir'>): string[] {
  const files = customFiles(custom, dir).filter(({ use, writes }) => use === 'storage' && writes);
  return [...new Set(files.map(({ path }) => path))];
}

/**
 * Warns of images that are left out of what is said to be of all disks.
 *
 * @param what `the snapshot`.
 */
export function tellCustomDisks(host: MachineContext, target: MachineRef, config: MachineConfig, what: string): void {
  const left = customDisks(config);
  if (left.length === 0) return;
  const names = left.map((path) => `"${path}"`).join(', ');
  const message = `not in ${what}: ${names} of [custom]; only disks of DSKx lines are`;
  host.notify({ level: 'warning', machine: target.longName, message });
}
