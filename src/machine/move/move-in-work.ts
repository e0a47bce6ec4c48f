import { removeWhole } from '../../system/files/remove-tree.ts';
import { waitForExit } from '../../system/process/process.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { cleanUp } from '../run/clean-up.ts';
import { killQemu } from '../run/last-run.ts';
import { goneOf, locate } from '../run/locate.ts';
import { dropStaleLock } from '../run/run-lock.ts';
import { SIGKILL_MS } from '../stop/stop-plan.ts';
import { removeParts } from '../work/part-files.ts';
import type { Leftover, Settled, WorkKind } from '../work/work-kind.ts';
import type { WorkRecord } from '../work/work-record.ts';
import { letGo } from './arrival.ts';
import { destinationStep } from './decide.ts';
import { type MoveRecord, readMove, readMoveAt, removeMove, writeMove } from './move-record.ts';

/** The word in the record of the work at the place that a guest comes to. */
export const MOVE_IN_KIND = 'move-in';

/** What its record has to know. */
export interface MoveInData {
  readonly id: string;
  readonly wasRunning: boolean;
  /** The place that its guest had moved to before, when the machine was registered here all the time. */
  readonly wasAt?: string | undefined;
  /** Whether the machine was registered here all the time. */
  readonly isKnown: boolean;
  /** Whether it had files in its state folder before. */
  readonly hadState: boolean;
}

/**
 * A move whose command was killed, or gave up, at the place that the guest comes to. Its guest runs when the source has
 * noted that it hands over; when that has not, nothing of it stays.
 */
export const MOVE_IN_WORK: WorkKind = {
  settle: async (leftover) => {
    const { host, target, record } = leftover;
    const noted = readMove(target.files);
    if (noted === 'damaged') return { outcome: 'undone', detail: 'nobody knows who owns its guest' };
    // A move that has not noted anything has not started anything.
    const isOwn = noted?.role === 'destination' && noted.id === record.data['id'];
    const step = isOwn ? destinationStep(noted.phase, sourceSays(noted)) : 'give-up';
    if (step === 'wait') return { outcome: 'running', detail: `it waits for ${noted?.peer}` };
    if (step === 'give-up' || noted === undefined) {
      await giveUp(host, target, record);
      return { outcome: 'undone' };
    }
    if (noted.phase !== 'released') writeMove(target.files, { ...noted, phase: 'released' });
    const settled = await goOn(leftover);
    removeMove(target.files);
    return settled;
  },
};

function sourceSays({ id, peerRecord, sourceSays: says }: MoveRecord): Parameters<typeof destinationStep>[1] {
  if (says !== undefined) return says === 'kept' ? 'not-handed-over' : says;
  if (peerRecord === undefined) return 'unknown';
  const theirs = readMoveAt(peerRecord);
  if (theirs === 'damaged') return 'unknown';
  return theirs?.id === id && theirs.role === 'source' && theirs.phase === 'handed-over'
    ? 'handed-over'
    : 'not-handed-over';
}

async function goOn({ target, record, client, timeoutMs }: Leftover): Promise<Settled> {
  if (client === undefined || locate(target.files).kind !== 'alive') {
    return { outcome: 'finished', detail: 'its guest has arrived, but its QEMU is gone: it can be started' };
  }
  const state = await letGo(client, record.data['wasRunning'] === true, { timeoutMs });
  return { outcome: 'finished', detail: `its guest has arrived, and is ${state}` };
}

/** Removes all that was made for a guest that has never run here. */
async function giveUp(host: MachineContext, target: MachineRef, { partFiles, data }: WorkRecord): Promise<void> {
  const { files } = target;
  const located = locate(files);
  if (located.kind === 'alive') {
    const { pid, startTime } = located.process;
    killQemu(target, pid, startTime);
    await waitForExit(pid, startTime, SIGKILL_MS);
  }
  await cleanUp(host, target, goneOf(files, located.record));
  await dropStaleLock(host, target);
  removeParts(partFiles);
  const { wasAt, id } = data;
  if (typeof wasAt === 'string') {
    writeMove(files, { id: String(id), role: 'source', phase: 'handed-over', peer: wasAt });
    return;
  }
  if (data['isKnown'] !== true) await host.moves.forget(target, 'keep');
  removeMove(files);
  if (data['hadState'] !== true) removeWhole(files.stateDir);
}
