import { QemuError } from '../../base/errors.ts';
import { isRecord } from '../../base/guards.ts';
import { ensureDir, isThere, readTextIfExists } from '../../system/files/files.ts';
import { removeWithLeftovers, writeFileAtomic } from '../../system/files/write-file.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { type MovePhase, type MoveRole, mayRun } from './decide.ts';

/**
 * Who owns a guest that is being moved, noted by each side before the step that it is about. It outlives the record of
 * the work: a source that has handed over its guest must not start it again.
 */
export interface MoveRecord {
  /** The same on both sides. */
  readonly id: string;
  readonly role: MoveRole;
  readonly phase: MovePhase;
  /** The other side, for people: `root:/srv/two`. */
  readonly peer: string;
  /** ISO 8601: when this phase began. */
  readonly since: string;
  /** The note of the other side, on this host; undefined: it is on another host. */
  readonly peerRecord?: string | undefined;
  /** What a source on another host has decided, once it was asked, or has told by itself. */
  readonly sourceSays?: 'handed-over' | 'kept' | undefined;
}

type Files = Pick<MachinePaths, 'stateDir' | 'move'>;

const PHASES: readonly MovePhase[] = ['copying', 'switching', 'handed-over', 'released', 'kept'];

/**
 * What a machine has noted of a move; undefined when it has nothing, or the caller may not see it.
 *
 * @throws {QemuError} `QEMU_IO`
 */
export function readMove(files: Files): MoveRecord | 'damaged' | undefined {
  try {
    if (!isThere(files.move)) return undefined;
    return parseMove(readTextIfExists(files.move));
  } catch (error) {
    if (error instanceof QemuError && error.code === 'QEMU_NOT_PERMITTED') return undefined;
    throw error;
  }
}

/** The note in a file of another machine of this host; undefined when there is none. */
export function readMoveAt(path: string): MoveRecord | 'damaged' | undefined {
  return isThere(path) ? parseMove(readTextIfExists(path)) : undefined;
}

/** Notes it, so that it outlives a power cut. @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`. */
export function writeMove(files: Files, record: Omit<MoveRecord, 'since'>): void {
  ensureDir(files.stateDir, 0o700);
  const text = `${JSON.stringify({ ...record, since: new Date().toISOString() }, null, 1)}\n`;
  writeFileAtomic(files.move, text, 0o600, { durable: true });
}

/** Removes the note. @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`. */
export function removeMove(files: Files): void {
  removeWithLeftovers(files.move);
}

/** Whether a machine has such a note: costs one lstat(2). */
export function hasMove(files: Files): boolean {
  try {
    return isThere(files.move);
  } catch {
    // Not for this user to see.
    return false;
  }
}

/** Whether a machine may run its guest: costs one lstat(2) when it is not being moved. */
export function isOwner(files: Files): boolean {
  return mayRun(readMove(files));
}

function parseMove(text: string | undefined): MoveRecord | 'damaged' {
  let value: unknown;
  try {
    value = JSON.parse(text ?? '');
  } catch {
    return 'damaged';
  }
  if (!isRecord(value)) return 'damaged';
  const { id, role, peer, since, peerRecord, sourceSays: says } = value;
  const phase = PHASES.find((each) => each === value['phase']);
  if (typeof id !== 'string' || typeof peer !== 'string' || typeof since !== 'string') return 'damaged';
  if (phase === undefined || (role !== 'source' && role !== 'destination')) return 'damaged';
  return {
    id,
    role,
    phase,
    peer,
    since,
    peerRecord: typeof peerRecord === 'string' ? peerRecord : undefined,
    sourceSays: says === 'handed-over' || says === 'kept' ? says : undefined,
  };
}
