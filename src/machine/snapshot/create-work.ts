import { asArray, asRecord, asText } from '../../base/guards.ts';
import type { WorkKind } from '../work/work-kind.ts';
import { deleteInside } from './delete-inside.ts';
import { withLeftover } from './leftover.ts';
import { snapshotsIn } from './snapshot-disks.ts';
import { noteSnapshot, tpmFrom } from './snapshot-notes.ts';

/**
 * A snapshot that was being made: it is one when all disks have it, else it is taken away again. How it was to be
 * described is lost then.
 */
export const CREATE_KIND: WorkKind = {
  settle: async (leftover) => {
    const { record, target, cancel } = leftover;
    const name = asText(record.data['name']);
    const keys = asArray(record.data['files']).map((each) => asText(asRecord(each)['key']));
    // Nothing had been begun.
    if (keys.length === 0) return { outcome: 'undone' };
    return withLeftover(
      leftover,
      (disks) => disks.filter(({ key }) => keys.includes(key)),
      async (images) => {
        const holders = snapshotsIn(images.disks).get(name);
        const isWhole = keys.every((key) => holders?.has(key));
        if (isWhole && !cancel) {
          const created = holders?.values().next().value?.created ?? record.startedAt;
          noteSnapshot(target.files, {
            name,
            created,
            description: undefined,
            quiesced: undefined,
            disks: keys,
            layers: [],
            tpm: tpmFrom(record.data['tpm']),
          });
          return { outcome: 'finished' };
        }
        await deleteInside(images, name);
        return { outcome: 'undone' };
      },
    );
  },
};
