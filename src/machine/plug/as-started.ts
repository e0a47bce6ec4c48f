import { QemuError } from '../../base/errors.ts';
import { withLock } from '../../system/lock/lock.ts';
import type { MachineRef } from '../context.ts';
import { locate } from '../run/locate.ts';
import { isAtWork, readWork } from '../work/work-record.ts';
import { otherHardware } from './other-hardware.ts';

/** Work that takes the state of a guest along, by its kind in the record. */
const TAKES_STATE: ReadonlySet<string> = new Set(['save', 'move-out', 'restart-live']);

/** A device that is being unplugged may wait for the guest. */
const LOCK_MS = 60_000;

/**
 * Refuses to plug devices of a machine whose state is being taken: the QEMU that gets the state would not have them. Under
 * the lock of the plugs.
 *
 * @throws {QemuError} `QEMU_LOCKED`
 */
export function refuseWhileStateIsTaken({ files, longName }: MachineRef): void {
  const record = readWork(files);
  if (record === undefined || !TAKES_STATE.has(record.kind) || !isAtWork(files, record)) return;
  const { what, startedAt, tool } = record;
  throw new QemuError(
    'QEMU_LOCKED',
    `Machine "${longName}" is busy since ${startedAt} (${what}, by process ${tool.pid})`,
    {
      hint: 'wait until it is done',
    },
  );
}

/**
 * Waits for a command that plugs devices, and refuses to take the state of a machine that has others than at its start by
 * now. From here on {@link refuseWhileStateIsTaken} keeps them as they are, if the work is on record.
 *
 * @throws {QemuError} `QEMU_MACHINE_STATE`, `QEMU_LOCKED`, `QEMU_ABORTED`.
 */
export async function requireAsStarted(target: MachineRef, signal: AbortSignal | undefined): Promise<void> {
  const { files, longName } = target;
  const located = locate(files);
  if (located.kind !== 'alive') return;
  const plugged = await withLock(files.plugLock, { timeoutMs: LOCK_MS, signal, purpose: 'state' }, async () =>
    otherHardware(target, located.process),
  );
  if (plugged.length === 0) return;
  const came = `${plugged.join(', ')} came or went since its start`;
  throw new QemuError('QEMU_MACHINE_STATE', `Cannot take the state of machine "${longName}" along: ${came}`, {
    hint: 'it goes on as before',
  });
}
