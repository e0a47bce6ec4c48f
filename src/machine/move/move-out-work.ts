import { join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { Domain } from '../../domain/domain.ts';
import type { QmpClient } from '../../qmp/client.ts';
import { removeIfExists } from '../../system/files/files.ts';
import { removeWhole } from '../../system/files/remove-tree.ts';
import type { MachinePaths } from '../../system/paths.ts';
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
import { dropMirrors } from './drop-mirrors.ts';
import { type MoveRecord, readMove, removeMove, writeMove } from './move-record.ts';
import { tellPeer } from './tell-peer.ts';

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
  /** The destination on another host: `ssh://root@node2`. */
  readonly place?: string | undefined;
}

/** Where QEMU sends a guest that goes to another host: only its own user may pass through the folder. */
export function outgoingSocket({ qemuDir }: Pick<MachinePaths, 'qemuDir'>): string {
  return join(qemuDir, 'move-out.sock');
}

/** Where its disks are sent. */
export function outgoingDisks({ qemuDir }: Pick<MachinePaths, 'qemuDir'>): string {
  return join(qemuDir, 'move-disks.sock');
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
    const { place } = data;
    if (sourceStep(noted.phase) === 'keep') {
      const settled = await keep(leftover);
      for (const socket of [outgoingSocket(target.files), outgoingDisks(target.files)]) removeIfExists(socket);
      if (typeof place === 'string') await tellKept(leftover, noted, place);
      else {
        removeMove(target.files);
        await settlePeer(leftover);
      }
      return settled;
    }
    if (typeof place === 'string') {
      const problem = await tellHandedOver(leftover, noted, place);
      if (problem !== undefined) {
        return { outcome: 'running', detail: `its guest belongs to ${place}, which has to be told that: ${problem}` };
      }
    } else await settlePeer(leftover);
    await leave(host, target, leftover.client, data['keepConfig'] === true);
    return { outcome: 'finished', detail: `its guest belongs to ${noted.peer}` };
  },
};

/** The other end on this host, which would be set right only by the next command on it. */
async function settlePeer({ host, target, record, timeoutMs }: Leftover): Promise<void> {
  const { root } = record.data;
  if (typeof root === 'string') await host.moves.settleAt(root, target.longName, { timeoutMs });
}

/** The note stays until the other host knows it. */
async function tellKept({ host, target, timeoutMs }: Leftover, noted: MoveRecord, place: string): Promise<void> {
  writeMove(target.files, { ...noted, phase: 'kept' });
  await tellPeer(host, target, place, timeoutMs);
}

/** Why it is not told; undefined: it is. */
async function tellHandedOver(
  { host, target, timeoutMs }: Leftover,
  { id }: MoveRecord,
  place: string,
): Promise<string | undefined> {
  try {
    await host.moves.tell(place, { name: target.longName, id, says: 'handed-over' }, { timeoutMs });
    return undefined;
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    return error.message;
  }
}

async function keep({ target, record, client, timeoutMs }: Leftover): Promise<Settled> {
  const located = locate(target.files);
  if (client === undefined || located.kind !== 'alive') return { outcome: 'undone', detail: 'its QEMU is gone' };
  return whileAlive(located.process, undefined, async (signal) => {
    const limits = { timeoutMs, signal };
    const state = await cancelSending(client, record.data['wasRunning'] === true, limits);
    if (record.jobs.length > 0) await dropMirrors(new Domain(client, target.longName), record.jobs, limits);
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
