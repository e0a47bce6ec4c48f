import { BACKUP_WORK } from '../backup/backup-work.ts';
import type { WorkKind } from '../work/work-kind.ts';

/** Copies of disks that only the command which asked for them can use: without it they end, and go. */
export const COPY_WORK: WorkKind = {
  settle: async (leftover) => {
    const { outcome } = await BACKUP_WORK.settle({ ...leftover, cancel: true });
    return { outcome };
  },
};
