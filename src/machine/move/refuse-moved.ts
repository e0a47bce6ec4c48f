import { QemuError } from '../../base/errors.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { settleFirst } from '../work/settle-first.ts';
import { isAtWork, readWork, removeWork } from '../work/work-record.ts';
import { mayLetRun } from './decide.ts';
import { isOwner, type MoveRecord, readMove, removeMove, writeMove } from './move-record.ts';

/**
 * Refuses to run the guest of a machine that is not, or may not be, its own: it has moved to another place, or was not
 * released by the place that it comes from.
 *
 * @param what such as `start` or `resume`.
 * @throws {QemuError} `QEMU_MACHINE_STATE`
 */
export function refuseMoved(target: MachineRef, what: string): void {
  if (isOwner(target.files)) return;
  const { longName } = target;
  throw new QemuError(
    'QEMU_MACHINE_STATE',
    `Cannot ${what} machine "${longName}": ${describeMove(readMove(target.files))}`,
    {
      hint: `if its guest runs nowhere else, for sure: ${shellCommand('qemu-init', 'start', '--i-know', longName)}`,
    },
  );
}

/**
 * Refuses to let the processors of a running machine run: as {@link refuseMoved}, and while the last part of its guest is
 * sent.
 *
 * @throws {QemuError} `QEMU_MACHINE_STATE`
 */
export function refuseToLetRun(target: MachineRef, what: string): void {
  refuseMoved(target, what);
  const noted = readMove(target.files);
  if (mayLetRun(noted)) return;
  throw new QemuError('QEMU_MACHINE_STATE', `Cannot ${what} machine "${target.longName}": ${describeMove(noted)}`, {
    hint: 'it goes on by itself when the move is over',
  });
}

/** Drops what a machine has noted of a move, because the user knows that its guest runs nowhere else. */
export async function dropMove(host: MachineContext, target: MachineRef): Promise<void> {
  await settleFirst(host, target);
  const noted = readMove(target.files);
  if (noted === undefined) return;
  const message = `${describeMove(noted)}; this is dropped, as --i-know demands`;
  host.notify({ level: 'warning', machine: target.longName, message });
  const work = readWork(target.files);
  const isInterrupted = work !== undefined && MOVE_KINDS.has(work.kind) && !isAtWork(target.files, work);
  if (isInterrupted && noted !== 'damaged' && noted.role === 'source') {
    // Its QEMU may still have the guest, and the other host one that waits to hear that.
    writeMove(target.files, { ...noted, phase: 'kept' });
    await settleFirst(host, target, KEEP_MS);
    return;
  }
  removeMove(target.files);
  // Without its note it would be taken for one that has not begun, and undone.
  if (isInterrupted) removeWork(target.files);
}

/** For a QEMU that has its guest go on, and for the other host. */
const KEEP_MS = 10_000;

/** Words in the record of the work: see move-in-work and move-out-work. */
const MOVE_KINDS: ReadonlySet<string> = new Set(['move-in', 'move-out']);

/** What is noted of a move, as a clause. */
export function describeMove(noted: Omit<MoveRecord, 'id'> | 'damaged' | undefined): string {
  if (noted === undefined) return 'it is not being moved';
  if (noted === 'damaged') return 'the note of who owns its guest is damaged';
  const { role, phase, peer, since } = noted;
  if (phase === 'kept') return `its guest has stayed here; ${peer} does not know that yet`;
  if (role === 'source') {
    return phase === 'handed-over'
      ? `its guest has moved to ${peer}, ${since}`
      : `its guest is moving to ${peer} since ${since}`;
  }
  return phase === 'released'
    ? `its guest has come from ${peer}, ${since}`
    : `its guest is coming from ${peer} since ${since}, which has not released it`;
}
