import { isRecord } from '../../base/guards.ts';
import { isThere, readTextIfExists } from '../../system/files/files.ts';
import { removeWithLeftovers, writeFileAtomic } from '../../system/files/write-file.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { bootId, isSameProcess, readProcess } from '../../system/process/process.ts';

/** That a command has frozen the file systems of a guest, or was about to. */
export interface FrozenMark {
  /** ISO 8601; undefined when the mark is damaged. */
  readonly since: string | undefined;
  /** Whether the command that froze them still runs and will thaw them itself. */
  readonly isHeld: boolean;
  /** Whether they are to stay frozen until a user has them thawed. */
  readonly isWished: boolean;
}

type Files = Pick<MachinePaths, 'frozenMark'>;

/** A command holds a freeze for ten seconds; past this it hangs, or its process is stopped. */
const MOST_HELD_MS = 60_000;

/**
 * Notes that this process is about to freeze the guest, before it does: whoever kills it leaves a trace that the next
 * command follows.
 *
 * @param untilThawed a user wants it, and will have the guest thawed.
 * @throws {QemuError} `QEMU_IO`, `QEMU_NOT_PERMITTED`.
 */
export function writeFrozenMark({ frozenMark }: Files, untilThawed = false): void {
  const { pid } = process;
  const startTime = readProcess(pid)?.startTime;
  const mark = { since: new Date().toISOString(), pid, startTime, bootId: bootId(), untilThawed };
  writeFileAtomic(frozenMark, `${JSON.stringify(mark)}\n`, 0o600);
}

/** The mark of a machine; undefined when there is none, which costs one look at the folder. */
export function readFrozenMark({ frozenMark }: Files): FrozenMark | undefined {
  if (!isThere(frozenMark)) return undefined;
  try {
    const value: unknown = JSON.parse(readTextIfExists(frozenMark) ?? '');
    if (!isRecord(value)) return DAMAGED;
    const { since, pid, startTime, bootId: boot, untilThawed } = value;
    if (typeof since !== 'string' || Number.isNaN(Date.parse(since))) return DAMAGED;
    const isAlive =
      boot === bootId() && typeof pid === 'number' && typeof startTime === 'string' && isSameProcess(pid, startTime);
    const isHeld = isAlive && Math.abs(Date.now() - Date.parse(since)) < MOST_HELD_MS;
    return { since, isHeld, isWished: boot === bootId() && untilThawed === true };
  } catch {
    return DAMAGED;
  }
}

const DAMAGED: FrozenMark = { since: undefined, isHeld: false, isWished: false };

/** @throws {QemuError} `QEMU_IO`, `QEMU_NOT_PERMITTED`. */
export function removeFrozenMark({ frozenMark }: Files): void {
  removeWithLeftovers(frozenMark);
}
