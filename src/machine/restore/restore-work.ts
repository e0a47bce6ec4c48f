import { dirname } from 'node:path';
import { removeWhole } from '../../system/files/remove-tree.ts';
import { dropSaved } from '../state/saved-folder.ts';
import { removeParts } from '../work/part-files.ts';
import type { WorkKind } from '../work/work-kind.ts';
import { finishSwaps, readSwaps } from './swap.ts';

/**
 * A restore. Until all new files are whole and on the disk it is undone: the old ones are as they were. From then on
 * there are `swaps` in its record, and it is finished: all new ones get their places.
 */
export const RESTORE_WORK: WorkKind = {
  settle: async ({ record, target }) => {
    const swaps = readSwaps(record.data['swaps']);
    if (swaps.length > 0) {
      finishSwaps(swaps);
      if (record.data['dropsSaved'] === true) dropSaved(target.files);
      return { outcome: 'finished' };
    }
    removeParts(record.partFiles);
    // What is left then is a folder in that of the machine's state.
    for (const { path } of record.partFiles) if (dirname(path) === target.files.stateDir) removeWhole(path);
    return { outcome: 'undone' };
  },
};
