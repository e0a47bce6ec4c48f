import { QemuError } from '../../base/errors.ts';
import { asText } from '../../base/guards.ts';
import type { WorkKind } from '../work/work-kind.ts';
import { deleteInside } from './delete-inside.ts';
import { withLeftover } from './leftover.ts';
import { snapshotsIn } from './snapshot-disks.ts';
import { forgetSnapshot } from './snapshot-notes.ts';

/** A snapshot that was being deleted: the rest of it goes, too. What cannot be deleted stays listed with its disks. */
export const DELETE_KIND: WorkKind = {
  settle: async (leftover) => {
    const { record, target, cancel } = leftover;
    const name = asText(record.data['name']);
    if (record.data['hasBegun'] !== true || cancel)
      return { outcome: 'undone', detail: 'what is left of it is listed' };
    try {
      await withLeftover(
        leftover,
        (disks) => disks.filter(({ key }) => snapshotsIn(disks).get(name)?.has(key)),
        (images) => deleteInside(images, name),
      );
    } catch (error) {
      if (!(error instanceof QemuError) || error.code !== 'QEMU_QMP_REFUSED') throw error;
      return { outcome: 'undone', detail: error.message };
    }
    forgetSnapshot(target.files, name);
    return { outcome: 'finished' };
  },
};
