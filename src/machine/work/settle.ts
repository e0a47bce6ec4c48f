import { dirname } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { messageOf } from '../../base/text.ts';
import { Domain } from '../../domain/domain.ts';
import type { QmpClient } from '../../qmp/client.ts';
import { removeTemporariesOf } from '../../system/files/dead-temporaries.ts';
import { ensureDir } from '../../system/files/files.ts';
import { isWritable } from '../../system/files/is-writable.ts';
import { withLock } from '../../system/lock/lock.ts';
import { type ProcessInfo, readProcess } from '../../system/process/process.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { openFirst, type Way } from '../control/first-way.ts';
import { controlPorts, NO_PORTS, ownSocket } from '../control/ways.ts';
import { endCreations } from '../disks/end-creations.ts';
import { removeEmptyFolder } from '../run/clean-up.ts';
import { locate } from '../run/locate.ts';
import { lockedIfPossible, NO_ROOM } from '../run/run-lock.ts';
import { whileAlive } from '../run/while-alive.ts';
import { letGoOn } from './held-guest.ts';
import { workKind } from './kinds.ts';
import type { Settled } from './work-kind.ts';
import { hasWork, isAtWork, isCutOff, readWork, removeWork, type WorkRecord } from './work-record.ts';

/** What {@link settle} found. */
export type Found =
  | { readonly outcome: 'nothing' }
  /** The process that does the work lives. */
  | { readonly outcome: 'busy'; readonly record: WorkRecord }
  | (Settled & { readonly record: WorkRecord });

/** How to settle. */
export interface SettleOptions {
  readonly timeoutMs: number;
  /** Cancels jobs that still run, in place of leaving them alone. */
  readonly cancel?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Ends or undoes what a killed command left of its work on a machine's disks, and tells what that was.
 *
 * @throws {QemuError} `QEMU_LOCKED` when another command does it at the moment; `QEMU_TIMEOUT`, `QEMU_IO` … when it
 * cannot be done now: the record stays.
 */
export async function settle(host: MachineContext, target: MachineRef, options: SettleOptions): Promise<Found> {
  if (!hasWork(target.files)) return { outcome: 'nothing' };
  return underWorkLock(host, target, options, () => settleLocked(host, target, options));
}

/**
 * The same for commands to which it is not essential: nothing is thrown. Who may write neither lock nor record leaves it
 * to others.
 */
export async function settleQuietly(host: MachineContext, target: MachineRef, timeoutMs: number): Promise<void> {
  if (!isWritable(target.files.dir) || !isWritable(target.files.stateDir)) return;
  const record = readWork(target.files);
  if (record === undefined ? !isCutOff(target.files) : isAtWork(target.files, record)) {
    // Whatever was told of work before was of other work, which is over.
    told.delete(target.files.work);
    return;
  }
  try {
    await settle(host, target, { timeoutMs });
  } catch (error) {
    const what = record === undefined ? '' : ` (${record.what})`;
    const message = `cannot set right now what is left of an interrupted command${what}: ${messageOf(error)}`;
    if (wasTold(target, message)) return;
    host.notify({ level: 'warning', machine: target.longName, message });
  }
}

/** Does something while no other command begins, ends or settles work on the machine's disks. */
export async function underWorkLock<T>(
  host: MachineContext,
  target: MachineRef,
  { timeoutMs, signal }: Pick<SettleOptions, 'timeoutMs' | 'signal'>,
  body: () => Promise<T>,
): Promise<T> {
  const { files } = target;
  try {
    const lock = async (locked: () => Promise<T>): Promise<T> => {
      ensureDir(host.paths.runDir, 0o711);
      ensureDir(files.dir, 0o700);
      return withLock(files.workLock, { timeoutMs, signal, purpose: 'disk' }, locked);
    };
    // Whose view of the host is read-only is not alone: others have the lock, and it could not remove the record.
    return await lockedIfPossible(lock, body, NO_ROOM);
  } finally {
    removeEmptyFolder(files);
  }
}

/** {@link settle} under the lock. */
export async function settleLocked(host: MachineContext, target: MachineRef, options: SettleOptions): Promise<Found> {
  const record = readWork(target.files);
  if (record === undefined) {
    // Cut off by a power failure before it said anything: nothing was done then.
    removeWork(target.files);
    return { outcome: 'nothing' };
  }
  if (isAtWork(target.files, record)) return { outcome: 'busy', record };
  return withQemu(target, options, (client) => settleWith(host, target, { record, client, ...options }));
}

async function settleWith(
  host: MachineContext,
  target: MachineRef,
  {
    record,
    client,
    timeoutMs,
    cancel = false,
  }: SettleOptions & { readonly record: WorkRecord; readonly client: QmpClient | undefined },
): Promise<Found> {
  const kind = await workKind(record.kind);
  if (kind === undefined) {
    throw new QemuError('QEMU_MACHINE_STATE', `Work of an unknown kind ("${record.kind}") is not finished`, {
      hint: `a newer version of this program began it; its record: "${target.files.work}"`,
    });
  }
  if (client !== undefined) await endCreations(new Domain(client, target.longName), { timeoutMs });
  const settled = await kind.settle({ host, target, record, client, timeoutMs, cancel });
  removeTemporaries(host, target, record);
  if (settled.outcome !== 'running') {
    removeWork(target.files);
    told.delete(target.files.work);
    if (client !== undefined) await letGoOn(host, target, client);
  }
  tell(host, target, record, settled, cancel);
  return { ...settled, record };
}

/** Half-written files of the process that did it, wherever work writes some. */
function removeTemporaries(host: MachineContext, { configPath, files }: MachineRef, { tool }: WorkRecord): void {
  // Another process may have its number by now, and write at this moment.
  if (readProcess(tool.pid) !== undefined) return;
  const { etcDir, stateDir, imagesDir } = host.paths;
  const folders = new Set([dirname(configPath), etcDir, files.stateDir, stateDir, imagesDir, files.dir, files.keptDir]);
  for (const folder of folders) removeTemporariesOf(folder, tool.pid);
}

const OUTCOMES: Readonly<Record<Settled['outcome'], string>> = {
  finished: 'it is finished now',
  undone: 'it is undone',
  running: 'it goes on inside QEMU',
};

/** By their records, what was told of work that goes on, or cannot be ended: once is enough while it is there. */
const told = new Map<string, Set<string>>();

/** Whether it was told before; it counts as told from now on. */
function wasTold({ files }: MachineRef, message: string): boolean {
  const known = told.get(files.work) ?? new Set<string>();
  told.set(files.work, known);
  return known.size === known.add(message).size;
}

/** A command that gives up itself says so itself. */
function tell(
  host: MachineContext,
  target: MachineRef,
  { what, tool, startedAt }: WorkRecord,
  { outcome, detail }: Settled,
  isOwn: boolean,
): void {
  if (isOwn || tool.pid === process.pid) return;
  if (outcome === 'running' && wasTold(target, startedAt)) return;
  const more = detail === undefined ? '' : ` (${detail})`;
  const way = outcome === 'running' ? `; to go on with it: qemu-init jobs resume ${target.longName}` : '';
  const message = `an earlier command was interrupted: ${what}: ${OUTCOMES[outcome]}${more}${way}`;
  host.notify({ level: 'info', machine: target.longName, message });
}

/** With a connection to the machine's QEMU, when it runs. */
export async function withQemu<T>(
  target: MachineRef,
  options: SettleOptions,
  work: (client: QmpClient | undefined) => Promise<T>,
): Promise<T> {
  const located = locate(target.files);
  if (located.kind !== 'alive') return work(undefined);
  const ways = [ownSocket(target.files), ...controlPorts(target.files, located.record ?? NO_PORTS)];
  const client = await openLiving(target, located.process, ways, options);
  try {
    return await work(client);
  } finally {
    await client?.close();
  }
}

/** Undefined: QEMU has ended meanwhile, so that there is nothing to wait for. */
async function openLiving(
  target: MachineRef,
  process: ProcessInfo,
  ways: readonly Way<QmpClient>[],
  { timeoutMs, signal }: SettleOptions,
): Promise<QmpClient | undefined> {
  try {
    return await whileAlive(process, signal, async (alive) => {
      const { value } = await openFirst(`machine "${target.longName}"`, ways, { timeoutMs, signal: alive });
      return value;
    });
  } catch (error) {
    if (signal?.aborted === true || locate(target.files).kind === 'alive') throw error;
    return undefined;
  }
}
