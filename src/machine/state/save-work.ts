import { isThere, removeIfExists } from '../../system/files/files.ts';
import { locate } from '../run/locate.ts';
import { whileAlive } from '../run/while-alive.ts';
import type { Leftover, Settled, WorkKind } from '../work/work-kind.ts';
import { cancelSending } from './cancel-sending.ts';
import { endSaved } from './end-saved.ts';
import { removeSaved, savedFolder, saveSocket } from './saved-folder.ts';

/** The word in the record of the work. */
export const SAVE_KIND = 'save';

/** Whether the guest ran, in the data of the record. */
export interface SaveData {
  readonly wasRunning: boolean;
}

/**
 * A save whose command was killed, or gave up. Once the folder has its final name the state is saved and its guest must
 * not run on; until then the guest goes on, and what was written goes.
 */
export const SAVE_WORK: WorkKind = {
  settle: async (leftover) => {
    const { files } = leftover.target;
    removeIfExists(saveSocket(files));
    const isDone = isThere(savedFolder(files, 'saved'));
    const settled = isDone ? await finish(leftover) : await undo(leftover);
    removeSaved(files, 'part');
    return settled;
  },
};

async function finish({ target, client }: Leftover): Promise<Settled> {
  const located = locate(target.files);
  if (located.kind === 'alive') await endSaved(target, located.process, client);
  return { outcome: 'finished', detail: 'the state is saved' };
}

async function undo({ target, record, client, timeoutMs }: Leftover): Promise<Settled> {
  const located = locate(target.files);
  if (client === undefined || located.kind !== 'alive') return { outcome: 'undone', detail: 'QEMU is gone' };
  return whileAlive(located.process, undefined, async (signal) => {
    const state = await cancelSending(client, record.data['wasRunning'] === true, { timeoutMs, signal });
    return { outcome: 'undone', detail: `the guest is ${state}` };
  });
}
