import { removeParts } from './part-files.ts';
import type { WorkKind } from './work-kind.ts';

/**
 * Work that only makes files and is done when it has renamed them, such as a restore into a new place: what is not
 * finished is removed.
 */
export const FILES_WORK: WorkKind = {
  settle: async ({ record }) => {
    removeParts(record.partFiles);
    return { outcome: 'undone' };
  },
};
