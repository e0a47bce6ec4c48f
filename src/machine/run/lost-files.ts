import { lstatSync } from 'node:fs';
import type { MachineRef } from '../context.ts';
import { readRecord } from './record.ts';

/**
 * What a machine that runs has lost when its run-time folder was cleared, as a clause; undefined when its sockets are
 * there, are being made, or may not be looked at by this user. QEMU goes on without them, and cannot make them again.
 */
export function lostFiles({ files }: MachineRef): string | undefined {
  try {
    if (readRecord(files)?.phase === 'starting') return undefined;
    if (lstatSync(files.qmpSocket, { throwIfNoEntry: false }) !== undefined) return undefined;
  } catch {
    // This user may not look at it.
    return undefined;
  }
  return `its sockets in "${files.qemuDir}" are gone, because the run-time folder was cleared while it was running`;
}
