import type { RestartLiveOptions, RestartLiveResult } from '../live/restart-result.ts';
import type { MigrateOptions, MigrateResult } from '../move/migrate-result.ts';
import type { Life } from '../snapshot/revert.ts';

/** What the fleet does for a machine, since it takes more than the machine: the service manager, and other places. */
export interface MachineLife extends Life {
  readonly migrate: (destination: string, options: MigrateOptions) => Promise<MigrateResult>;
  readonly restartLive: (options: RestartLiveOptions) => Promise<RestartLiveResult>;
}
