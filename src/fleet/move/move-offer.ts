import type { CopiedDisk } from '../../machine/move/copied-disks.ts';
import type { HardwareThen } from '../../machine/state/saved-differences.ts';
import type { SavedImage } from '../../machine/state/saved-record.ts';

/** What a destination has to know of a machine whose guest it is to take. Data alone: it may go over a line. */
export interface MoveOffer {
  /** The same in the notes of both sides. */
  readonly id: string;
  readonly name: string;
  readonly shortName: string | undefined;
  /** Text of its file there, without paths that are relative to a folder here. */
  readonly cfg: string;
  /** Where it comes from, for people; and, for a destination on this host, its note. */
  readonly from: string;
  readonly sourceRecord: string | undefined;
  /** What the guest was started on. */
  readonly hardware: HardwareThen;
  /** What its processor can do; undefined: QEMU does not say, or a source of an earlier version. */
  readonly features: readonly (readonly [word: string, bits: number])[] | undefined;
  readonly macs: readonly (readonly [nic: number, mac: string])[];
  readonly images: readonly SavedImage[];
  /** What is known of its snapshots besides what the images contain; undefined: it has none. */
  readonly snapshots: string | undefined;
  readonly wasRunning: boolean;
  readonly copyDisks: boolean;
  /** It stays registered where it comes from: it may be registered at both places. */
  readonly keepConfig: boolean;
  /** Those that are copied. */
  readonly disks: readonly CopiedDisk[];
}
