import type { MachineConfig } from '../../config/types.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { inspectMachineConfig } from '../load-config.ts';

/**
 * A configuration with the disks that the machine's file names now: another command may have moved one since it was
 * read, and to run on the image from before would lose all that was written since.
 */
export function withCurrentDisks(host: MachineContext, target: MachineRef, config: MachineConfig): MachineConfig {
  const disks = inspectMachineConfig(target.configPath, host.paths.defaultsFile).config?.disks;
  return disks === undefined ? config : { ...config, disks };
}
