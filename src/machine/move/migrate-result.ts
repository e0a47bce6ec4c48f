import type { LongWorkOptions } from '../../base/progress.ts';

/** What holds for a move and a live restart unless they are told otherwise. */
export const DEFAULT_DOWNTIME_MS = 300;
export const DEFAULT_TIMEOUT_MS = 3_600_000;

/** How to move a running machine. */
export interface MigrateOptions extends LongWorkOptions {
  /** Only find out whether it is possible. */
  readonly check?: boolean | undefined;
  /** The disks are copied, too: the other place does not reach these files. */
  readonly copyDisks?: boolean | undefined;
  /** Most bytes a second (default: no limit). */
  readonly rate?: number | undefined;
  /** Milliseconds that the guest may stand still for the last of its memory (default: 300). */
  readonly downtimeMs?: number | undefined;
  /** Milliseconds until a guest that changes its memory too fast stays where it is (default: an hour). */
  readonly timeoutMs?: number | undefined;
  /** The machine stays registered here; it is not started until `iKnow` is given. */
  readonly keepConfig?: boolean | undefined;
}

/** What became of a move. */
export interface MigrateResult {
  readonly outcome: 'moved' | 'possible' | 'impossible';
  /** Where it is, or would be: `root:/srv/two`. */
  readonly destination: string;
  /** State of the guest there; undefined for one that was not moved. */
  readonly state: string | undefined;
  /** How long the guest stood still; undefined for one that was not moved, or did not run. */
  readonly downtimeMs: number | undefined;
  /** Bytes of memory and devices that were sent. */
  readonly transferredBytes: number | undefined;
  /** All that is in the way. */
  readonly problems: readonly string[];
  readonly seconds: number;
}
