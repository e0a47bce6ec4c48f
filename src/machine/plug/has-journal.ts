import { isThere } from '../../system/files/files.ts';
import type { MachinePaths } from '../../system/paths.ts';

/** Whether something was plugged into a machine that runs, or taken out; false for a user who may not look. */
export function hasJournal(files: MachinePaths): boolean {
  try {
    return isThere(files.plugged);
  } catch {
    return false;
  }
}
