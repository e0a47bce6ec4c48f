import type { Duplex } from 'node:stream';
import { QemuError } from '../../base/errors.ts';
import { asArray, asRecord, asText } from '../../base/guards.ts';
import type { MachineConfig } from '../../config/types.ts';
import { openStream } from '../../qmp/transport.ts';
import { withHeldSocket } from '../../system/files/held-socket.ts';
import { withLock } from '../../system/lock/lock.ts';
import { type MachineContext, type MachineRef, notRunning } from '../context.ts';
import { removeEmptyFolder } from '../run/clean-up.ts';
import { locate } from '../run/locate.ts';
import { lostFiles } from '../run/lost-files.ts';
import { consoleHolder } from './console-holder.ts';
import { withOwnMonitor } from './control-port.ts';

const CONNECT_MS = 10_000;

/** QEMU is asked who is there, which must save time, not cost it. */
const LOOK_MS = 1_000;

/**
 * Uses the serial console of a running machine exclusively: QEMU serves one client at a time and would keep others
 * waiting without an answer.
 *
 * @param config of the machine, or the part of it that can be read.
 * @throws {QemuError} as {@link refuseConsole}; `QEMU_LOCKED` when another client has it; and what `body` throws.
 */
export async function withConsole<T>(
  host: MachineContext,
  target: MachineRef,
  config: Pick<MachineConfig, 'serial'> | undefined,
  signal: AbortSignal | undefined,
  body: (stream: Duplex) => Promise<T>,
): Promise<T> {
  refuseConsole(target, config);
  return alone(target, signal, async () => {
    await refuseTaken(host, target, signal);
    const late = AbortSignal.timeout(CONNECT_MS);
    const options = { retry: false, signal: signal ? AbortSignal.any([signal, late]) : late };
    const stream = await withHeldSocket(target.files.consoleSocket, (path) =>
      openStream({ kind: 'unix', path }, options),
    );
    try {
      return await body(stream);
    } finally {
      stream.destroy();
    }
  });
}

/**
 * Fails for a machine that has no console now.
 *
 * @throws {QemuError} `QEMU_NOT_RUNNING`; `QEMU_CONFIG_INVALID` for a machine without a console; `QEMU_IO` when its
 * socket is lost.
 */
export function refuseConsole(target: MachineRef, config: Pick<MachineConfig, 'serial'> | undefined): void {
  if (locate(target.files).kind !== 'alive') throw notRunning(target);
  if (config?.serial === false) {
    throw new QemuError('QEMU_CONFIG_INVALID', `Machine "${target.longName}" has no serial console (SERIAL=off)`);
  }
  const lost = lostFiles(target);
  if (lost !== undefined) throw lostError(target, 'console', lost);
}

/** Another program than ours may be connected: QEMU would take the connection, and never serve it. */
async function refuseTaken(host: MachineContext, target: MachineRef, signal: AbortSignal | undefined): Promise<void> {
  const limits = { timeoutMs: LOOK_MS, signal };
  let isTaken = false;
  try {
    const channels = await withOwnMonitor(host, target, limits, (client) =>
      client.executeRaw('query-chardev', {}, limits),
    );
    const serial = asArray(channels)
      .map(asRecord)
      .find(({ label }) => label === 'serial0');
    isTaken = serial !== undefined && !asText(serial['filename']).startsWith('disconnected:');
  } catch (error) {
    // Whom QEMU serves is then found out the hard way.
    if (!(error instanceof QemuError) || signal?.aborted) throw error;
  }
  if (isTaken) throw takenError(target, 'A program other than qemu-init');
}

function takenError({ longName }: MachineRef, who: string, cause?: unknown): QemuError {
  return new QemuError('QEMU_LOCKED', `${who} is using the console of machine "${longName}"`, {
    cause,
    hint: `watch it: qemu-init console ${longName} --read-only`,
  });
}

/** The error of a command whose socket is gone. */
export function lostError({ longName }: MachineRef, what: string, lost: string): QemuError {
  return new QemuError('QEMU_IO', `Machine "${longName}" no longer has a ${what}: ${lost}`, {
    hint: `a restart recreates them: qemu-init restart ${longName}`,
  });
}

async function alone<T>(target: MachineRef, signal: AbortSignal | undefined, body: () => Promise<T>): Promise<T> {
  let isInside = false;
  try {
    return await withLock(target.files.consoleLock, { timeoutMs: 0, signal, purpose: 'console' }, () => {
      isInside = true;
      return body();
    });
  } catch (error) {
    if (isInside || !(error instanceof QemuError) || error.code !== 'QEMU_LOCKED') throw error;
    const who = consoleHolder(target.files.consoleLock);
    throw takenError(target, who === undefined ? 'Another client' : `Another client (${who})`);
  } finally {
    removeEmptyFolder(target.files);
  }
}
