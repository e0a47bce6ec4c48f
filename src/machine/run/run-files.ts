import { QemuError } from '../../base/errors.ts';
import { readTail } from '../../system/files/log/log-file.ts';
import type { MachinePaths } from '../../system/paths.ts';

/**
 * QEMU writes this line to its log when the keyboard of a PC is reset, which is with all of the machine and never by
 * the guest alone: no process of ours is there to receive the event RESET. A snapshot that is loaded (`loadvm`) resets
 * all, too.
 */
export const RESET_TRACE = 'ps2_kbd_reset';

/** When the guest or `system_reset` last reset the machine in the run that began then. ISO 8601. */
export function lastReset(files: MachinePaths, startedAt: string): string | undefined {
  try {
    return resetInLog(logTail(files), startedAt);
  } catch (error) {
    // Not every user who may see the machine may read its log.
    if (!(error instanceof QemuError)) throw error;
    return undefined;
  }
}

/** The same for the text of a log. Pure. */
export function resetInLog(log: string, startedAt: string): string | undefined {
  const times = [...log.matchAll(new RegExp(`^\\d+@(\\d+\\.\\d+):${RESET_TRACE} `, 'gm'))].map(
    (match) => Number(match[1]) * 1000,
  );
  // A line of a broken QEMU may have any number; past the last one is no date (ECMA-262, "Time Values and Time Range").
  const last = Math.max(...times.filter((ms) => ms >= Date.parse(startedAt) && ms <= 8.64e15));
  return Number.isFinite(last) ? new Date(last).toISOString() : undefined;
}

const LOG_TAIL_BYTES = 64 * 1024;

/**
 * What QEMU wrote last to the machine's log.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED`, `QEMU_IO` when it cannot be read.
 */
export function logTail(files: MachinePaths): string {
  return readTail(files.log, 0, LOG_TAIL_BYTES);
}
