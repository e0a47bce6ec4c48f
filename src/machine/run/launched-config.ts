import { parseMachineConfig } from '../../config/machine-config.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { LaunchRecord } from './launch-record.ts';

/** What a machine was started with, by the record of that; undefined when it is lost. Pure. */
export function launchedConfig(record: LaunchRecord | undefined, configPath: string): MachineConfig | undefined {
  return record && parseMachineConfig(record.config, { path: configPath.replace(/\.json$/, '.cfg') }).draft;
}
