import type { QmpClient } from '../../qmp/client.ts';
import { removeWhole } from '../../system/files/remove-tree.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { cleanUp } from '../run/clean-up.ts';
import { MOVE_LINE } from '../run/last-run.ts';
import { goneOf, locate } from '../run/locate.ts';
import { dropStaleLock } from '../run/run-lock.ts';
import { whileAlive } from '../run/while-alive.ts';
import { otherStores } from '../start/firmware-store.ts';
import { cancelSending } from '../state/cancel-sending.ts';
import { endSaved } from '../state/end-saved.ts';
import type { Leftover, Settled, WorkKind } from '../work/work-kind.ts';
import { sourceStep } from './decide.ts';
import { readMove, removeMove } from './move-record.ts';

/** The word in the record of the work at the place that a guest leaves. */
export const MOVE_OUT_KIND = 'move-out';

/** What its record has to know. */
export interface MoveOutData {
  readonly id: string;
  readonly wasRunning: boolean;
  /** The machine stays registered. */
  readonly keepConfig: boolean;
  /** Root folder of the destination on this host; undefined: it is on another one. */
  readonly root?: string | undefined;
}

/**
 * A move whose command was killed, or gave up, at the place that the guest leaves. Until it has noted that it hands over
 * the guest is its own, and goes on; from then on it must not.
 */
export const MOVE_OUT_WORK: WorkKind = {
  settle: async (leftover) => {
    const { host, target, record } = leftover;
    const { data } = record;
    const noted = readMove(target.files);
    // It was about to begin.
    if (noted === undefined) return { outcome: 'undone' };
    if (noted === 'damaged' || noted.id !== data['id'])
      return { outcome: 'undone', detail: 'nobody knows who owns it' };
    if (sourceStep(noted.phase) === 'keep') {
      const settled = await keep(leftover);
      removeMove(target.files);
      await settlePeer(leftover);
      return settled;
    }
    await settlePeer(leftover);
    await leave(host, target, leftover.client, data['keepConfig'] === true);
    return { outcome: 'finished', detail: `its guest belongs to ${noted.peer}` };
  },
};

/** The other end on this host, which would be set right only by the next command on it. */
async function settlePeer({ host, target, record, timeoutMs }: Leftover): Promise<void> {
  const { root } = record.data;
  if (typeof root === 'string') await host.moves.settleAt(root, target.longName, { timeoutMs });
}

async function keep({ target, record, client, timeoutMs }: Leftover): Promise<Settled> {
  const located = locate(target.files);
  if (client === undefined || located.kind !== 'alive') return { outcome: 'undone', detail: 'its QEMU is gone' };
  return whileAlive(located.process, undefined, async (signal) => {
    const state = await cancelSending(client, record.data['wasRunning'] === true, { timeoutMs, signal });
    return { outcome: 'undone', detail: `the guest is ${state}` };
  });
}

/**
 * Ends what is left of a machine whose guest has moved: its QEMU, its run, and its registration unless that is kept. Its
 * note goes with the registration, and stays otherwise: the guest must not be started here.
 *
 * @throws {QemuError} `QEMU_STOP_FAILED` …; safe to repeat.
 */
export async function leave(
  host: MachineContext,
  target: MachineRef,
  client: QmpClient | undefined,
  keepConfig: boolean,
): Promise<void> {
  const located = locate(target.files);
  if (located.kind === 'alive') await endSaved(target, located.process, client, MOVE_LINE);
  await cleanUp(host, target, goneOf(target.files, located.record));
  await dropStaleLock(host, target);
  if (keepConfig) return;
  await host.moves.forget(target, 'aside');
  removeMove(target.files);
  removeMoved(target);
}

/** What its TPM and its firmware keep, and what is known of its snapshots, is with the guest now. */
function removeMoved({ files }: MachineRef): void {
  for (const path of [files.tpmDir, files.snapshots, ...otherStores(files, '')]) removeWhole(path);
}
