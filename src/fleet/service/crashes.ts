import { join } from 'node:path';
import { ensureDir, readTextIfExists, removeIfExists } from '../../system/files/files.ts';
import { writeFileAtomic } from '../../system/files/write-file.ts';
import type { Paths } from '../../system/paths.ts';

/** With this many ends within {@link CRASH_WINDOW_SECONDS} RESTART gives a machine up. */
export const MOST_CRASHES = 5;
export const CRASH_WINDOW_SECONDS = 600;

/**
 * Notes that a machine of a unit ended without a stop, or failed to start. systemd's own limit (StartLimitBurst=)
 * would count every start, including those by an administrator.
 *
 * @returns whether it has ended so often lately that it must not be started again. The count then starts over.
 */
export function recordCrash(paths: Paths, longName: string): boolean {
  const now = secondsSinceBoot();
  const recent = readTimes(paths, longName).filter((at) => at > now - CRASH_WINDOW_SECONDS && at <= now);
  if (recent.length + 1 >= MOST_CRASHES) {
    ensureDir(folderOf(paths), 0o700);
    writeFileAtomic(fileOf(paths, longName), '"given up"\n', 0o600);
    return true;
  }
  ensureDir(folderOf(paths), 0o700);
  writeFileAtomic(fileOf(paths, longName), `${JSON.stringify([...recent, now])}\n`, 0o600);
  return false;
}

/** Whether RESTART has given the machine up since its last start by hand. */
export function hasGivenUp(paths: Paths, longName: string): boolean {
  try {
    return readTextIfExists(fileOf(paths, longName)) === '"given up"\n';
  } catch {
    // Not readable by this user.
    return false;
  }
}

/** For a start by hand: earlier crashes do not count. */
export function forgetCrashes(paths: Paths, longName: string): void {
  removeIfExists(fileOf(paths, longName));
}

function readTimes(paths: Paths, longName: string): number[] {
  try {
    const times: unknown = JSON.parse(readTextIfExists(fileOf(paths, longName)) ?? '[]');
    return Array.isArray(times) ? times.filter((each) => typeof each === 'number') : [];
  } catch {
    // Truncated: the count starts over.
    return [];
  }
}

/** Monotonic, as nothing sets it; the files do not outlive the boot. */
function secondsSinceBoot(): number {
  return Number(process.hrtime.bigint() / 1_000_000_000n);
}

/** No machine's name begins with a dot. */
function folderOf(paths: Paths): string {
  return join(paths.runDir, '.crashes');
}

function fileOf(paths: Paths, longName: string): string {
  return join(folderOf(paths), `${longName}.json`);
}
