import { rmdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { ensureDir } from '../../system/files/files.ts';
import { removeWithLeftovers, writeFileAtomic } from '../../system/files/write-file.ts';
import type { MachinePaths } from '../../system/paths.ts';

/*
 * The run-time folder can be cleared while machines run: by a package that takes it for its own, by a mount over it, by
 * an administrator. Then only the copies in the state folder show which process a machine is and how to reach it.
 */

/**
 * Writes a file of {@link MachinePaths.keptDir}. One that cannot be written is only missed when the original is lost,
 * too.
 */
export function keepCopy(machine: MachinePaths, path: string, text: string): void {
  try {
    ensureDir(dirname(machine.keptDir), 0o700);
    ensureDir(machine.keptDir, 0o700);
    writeFileAtomic(path, text, 0o600);
  } catch (error) {
    // A full disk must not keep a machine from starting.
    if (!(error instanceof QemuError)) throw error;
  }
}

/** Removes the copies of a machine that has ended. */
export function removeCopies(machine: MachinePaths): void {
  try {
    const { keptRecord, keptLaunch, keptPlugged, keptKey } = machine;
    for (const path of [keptRecord, keptLaunch, keptPlugged, keptKey]) removeWithLeftovers(path);
    rmdirSync(machine.keptDir);
    rmdirSync(dirname(machine.keptDir));
  } catch {
    // There are none, or those of other machines are there. What stays is of no boot but this one, and of no living
    // process.
  }
}
