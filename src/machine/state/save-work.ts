import { delay } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import { asRecord, asText } from '../../base/guards.ts';
import type { QmpClient } from '../../qmp/client.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import { isThere, removeIfExists } from '../../system/files/files.ts';
import { locate } from '../run/locate.ts';
import { whileAlive } from '../run/while-alive.ts';
import type { Leftover, Settled, WorkKind } from '../work/work-kind.ts';
import { endSaved } from './end-saved.ts';
import { removeSaved, savedFolder, saveSocket } from './saved-folder.ts';

/** The word in the record of the work. */
export const SAVE_KIND = 'save';

/** Whether the guest ran, in the data of the record. */
export interface SaveData {
  readonly wasRunning: boolean;
}

/** States of `query-migrate` in which QEMU is at it. */
const AT_IT: ReadonlySet<string> = new Set([
  'setup',
  'active',
  'device',
  'pre-switchover',
  'postcopy-active',
  'cancelling',
  'wait-unplug',
]);

const LOOK_MS = 20;

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
    const state = await goOn(client, record.data['wasRunning'] === true, { timeoutMs, signal });
    return { outcome: 'undone', detail: `the guest is ${state}` };
  });
}

/** Cancels what goes on and has the guest be as it was. Returns its state. */
async function goOn(
  client: QmpClient,
  wasRunning: boolean,
  options: ExecuteOptions & { readonly timeoutMs: number },
): Promise<string> {
  const deadline = performance.now() + options.timeoutMs;
  if (AT_IT.has(await migrationStatus(client, options))) await client.executeRaw('migrate_cancel', undefined, options);
  while (AT_IT.has(await migrationStatus(client, options))) {
    if (performance.now() > deadline) throw new QemuError('QEMU_TIMEOUT', 'QEMU does not cancel the save in time');
    await delay(LOOK_MS, options.signal);
  }
  const state = await stateOf(client, options);
  // Of a cancelled save QEMU itself lets the guest run again, unless it was stopped by a command.
  if (!wasRunning || (state !== 'paused' && state !== 'postmigrate')) return state;
  await client.executeRaw('cont', undefined, options);
  return stateOf(client, options);
}

async function migrationStatus(client: QmpClient, options: ExecuteOptions): Promise<string> {
  return asText(asRecord(await client.executeRaw('query-migrate', undefined, options))['status']);
}

async function stateOf(client: QmpClient, options: ExecuteOptions): Promise<string> {
  return asText(asRecord(await client.executeRaw('query-status', undefined, options))['status']);
}
