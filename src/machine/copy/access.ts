import { QemuError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import { Domain } from '../../domain/domain.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { withOwnMonitor } from '../control/control-port.ts';
import { locate } from '../run/locate.ts';
import { exclusively } from '../run/run-lock.ts';
import { ensureOwnUser } from '../start/own-user.ts';
import { resolveRunAs } from '../start/run-as.ts';
import { refuseSaved } from '../state/saved-folder.ts';
import { withStorageDaemon } from '../storage-daemon/storage-daemon.ts';
import type { Visit } from './follow.ts';

/** The disks of a machine, in its QEMU or, when it does not run, in a process for them alone. */
export interface DiskAccess {
  readonly isRunning: boolean;
  readonly visit: Visit;
  /** The user that writes; undefined: the caller. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  /** Process of the storage daemon. */
  readonly daemon: number | undefined;
}

/** QEMU may be busy with a slow disk. */
const VISIT_MS = 30_000;

/**
 * Does something with the disks of a machine. It must be noted as work on them before, so that no start comes in
 * between when it does not run.
 *
 * @throws {QemuError} `QEMU_NOT_RUNNING` when the machine ends meanwhile; `QEMU_MACHINE_STATE` for a saved one; as {@link withStorageDaemon}; and what `work`
 * throws.
 */
export async function withDiskAccess<T>(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  signal: AbortSignal | undefined,
  work: (access: DiskAccess) => Promise<T>,
): Promise<T> {
  // A start or stop that is under way ends first; one that comes later finds the note.
  const located = await exclusively(host, target, { purpose: 'backup', signal }, async () => locate(target.files));
  if (located.kind !== 'alive') {
    // The bitmaps alone make them other disks than those that it belongs to.
    refuseSaved(target.files, target.longName, 'back up its disks');
    // Of a machine that has never started there may be none yet.
    if (process.getuid?.() === 0) await ensureOwnUser(config);
    const user = await resolveRunAs(config);
    return withStorageDaemon(host, target, config, { signal }, ({ domain, pid }) =>
      work({ isRunning: false, visit: (visit) => visit(domain), user, daemon: pid }),
    );
  }
  const { uid, gid } = located.record ?? {};
  const user = uid === undefined || gid === undefined ? undefined : { uid, gid };
  const visit = visitOf(host, target);
  try {
    return await work({ isRunning: true, visit, user, daemon: undefined });
  } catch (error) {
    if (locate(target.files).kind === 'alive') throw error;
    throw new QemuError('QEMU_NOT_RUNNING', `Machine "${target.longName}" ended before the backup was complete`, {
      cause: error,
      hint: 'run it again: a machine that does not run can be backed up, too',
    });
  }
}

/** Short visits to a machine that runs, so that neither a stop nor another program ever waits for the backup. */
export function visitOf(host: MachineContext, target: MachineRef): Visit {
  return (body) =>
    withOwnMonitor(host, target, { timeoutMs: VISIT_MS, signal: undefined }, (client) =>
      body(new Domain(client, target.longName)),
    );
}
