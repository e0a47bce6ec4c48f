import type { LongWorkOptions } from '../../base/progress.ts';
import type { Quiesce } from '../quiesce/quiesce.ts';

/** How to make a snapshot. */
export interface CreateSnapshotOptions extends LongWorkOptions {
  /** Default: the local time as `YYYYMMDD-HHMMSS`. */
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  /** RAM and devices as well; the guest stands still meanwhile. */
  readonly memory?: boolean | undefined;
  /** Whether file systems are frozen through the guest agent (default: `auto`; never with {@link memory}). */
  readonly quiesce?: Quiesce | undefined;
  /** Puts overlays above the disks in place of a snapshot inside their images: for raw disks and huge images. */
  readonly external?: boolean | undefined;
  /** Leaves raw disks out; else they are refused. */
  readonly skipRaw?: boolean | undefined;
}

/** A snapshot that was made. */
export interface CreatedSnapshot {
  readonly snapshot: string;
  /** ISO 8601. */
  readonly created: string;
  readonly memory: boolean;
  readonly quiesced: boolean;
  /** Why the file systems were not frozen, as a clause, when it was tried. */
  readonly whyNotQuiesced: string | undefined;
  readonly external: boolean;
  /** `DSK1` …, and `FIRMWARE` for the variables of UEFI. */
  readonly disks: readonly string[];
  /** Raw disks that were left out. */
  readonly skipped: readonly string[];
  readonly seconds: number;
}
