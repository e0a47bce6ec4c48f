import type { MigrateOptions } from '../move/migrate-result.ts';

/** How to restart a machine while its guest goes on. */
export type RestartLiveOptions = Omit<MigrateOptions, 'keepConfig' | 'copyDisks'>;

/** What became of it. */
export interface RestartLiveResult {
  readonly outcome: 'restarted' | 'possible' | 'impossible';
  /** Version of the QEMU that the guest was, or is, on; and of the one that is installed. */
  readonly before: string;
  readonly after: string | undefined;
  /** State of the guest; undefined for one that was not restarted. */
  readonly state: string | undefined;
  readonly pid: number | undefined;
  /** How long the guest stood still in all; undefined for one that was not restarted, or did not run. */
  readonly downtimeMs: number | undefined;
  /** Bytes of memory and devices that were sent. */
  readonly transferredBytes: number | undefined;
  /** All that is in the way. */
  readonly problems: readonly string[];
  readonly seconds: number;
}
