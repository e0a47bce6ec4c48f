import { countDown } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import { isWritable } from '../../system/files/is-writable.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { hasMove } from '../move/move-record.ts';
import { hasJournal } from '../plug/has-journal.ts';
import { dropDeadLocks } from '../run/drop-dead-locks.ts';
import { dropTemporaries } from '../run/drop-temporaries.ts';
import { ENDS_MACHINE, hasWork, isAtWork, readWork } from './work-record.ts';

/** Longest that a look at a machine is held up by what an earlier command left. */
const LOOK_MS = 1_500;

/**
 * Sets right what a killed command left of work on the disks of a machine, before anything else is done with it: a
 * guest may be waiting for that. So it does with what a guest has released since it was asked to, with what another host
 * does not know yet, and with locks and half-written files of commands that were killed. Without any of that it costs three
 * lstat(2) and a look into a few folders. Who may not write there, such as a page that may only look, changes nothing.
 * Never throws; what was found and done is told.
 *
 * @param timeoutMs how long that may hold up the caller.
 */
export async function settleFirst(host: MachineContext, target: MachineRef, timeoutMs = LOOK_MS): Promise<void> {
  const { files } = target;
  const left = countDown(timeoutMs);
  if (hasJournal(files) && isWritable(files.dir)) {
    const { settlePlugged } = await import('../plug/settle-plug.ts');
    await settlePlugged(host, target, Math.min(left(), LOOK_MS));
  }
  if (hasWork(files)) {
    const { settleQuietly } = await import('./settle.ts');
    await settleQuietly(host, target, left());
  } else if (hasMove(files) && isWritable(files.stateDir)) {
    const { tellPeer } = await import('../move/tell-peer.ts');
    await tellPeer(host, target, undefined, left());
  }
  dropTemporaries(host.paths, target.configPath, files);
  dropDeadLocks(files);
}

/** Tells that a stop of the machine ends the work on its disks that another command does. */
export function tellAtWork(host: MachineContext, { files, longName }: MachineRef): void {
  const record = hasWork(files) ? readWork(files) : undefined;
  if (record === undefined || record.data[ENDS_MACHINE] === true || !isAtWork(files, record)) return;
  const message = `${record.what} goes on since ${record.startedAt}, and ends incomplete with the machine`;
  host.notify({ level: 'warning', machine: longName, message });
}

/**
 * Refuses to start a machine while a command works on its disks. What a killed one has left keeps no machine from being
 * started.
 *
 * @throws {QemuError} `QEMU_LOCKED`
 */
export function refuseWhileAtWork({ files, longName }: MachineRef): void {
  const record = hasWork(files) ? readWork(files) : undefined;
  if (record === undefined || !isAtWork(files, record)) return;
  const { what, startedAt, tool } = record;
  throw new QemuError('QEMU_LOCKED', `Cannot start machine "${longName}": ${what} goes on since ${startedAt}`, {
    hint: `wait until it is done, or interrupt process ${tool.pid}`,
  });
}
