import type { Duplex } from 'node:stream';
import { QemuError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import { openStream } from '../../qmp/transport.ts';
import { withHeldSocket } from '../../system/files/held-socket.ts';
import { withLock } from '../../system/lock/lock.ts';
import { type MachineRef, notRunning } from '../context.ts';
import { removeEmptyFolder } from '../run/clean-up.ts';
import { locate } from '../run/locate.ts';
import { lostFiles } from '../run/lost-files.ts';

const CONNECT_MS = 10_000;

/**
 * Uses the serial console of a running machine exclusively: QEMU serves one client at a time and would keep others
 * waiting without an answer.
 *
 * @param config of the machine, or the part of it that can be read.
 * @throws {QemuError} `QEMU_NOT_RUNNING`; `QEMU_CONFIG_INVALID` for a machine without a console; `QEMU_LOCKED` when
 * another client has it; and what `body` throws.
 */
export async function withConsole<T>(
  target: MachineRef,
  config: Pick<MachineConfig, 'serial'> | undefined,
  signal: AbortSignal | undefined,
  body: (stream: Duplex) => Promise<T>,
): Promise<T> {
  if (locate(target.files).kind !== 'alive') throw notRunning(target);
  if (config?.serial === false) {
    throw new QemuError('QEMU_CONFIG_INVALID', `Machine "${target.longName}" has no serial console (SERIAL=off)`);
  }
  const lost = lostFiles(target);
  if (lost !== undefined) throw lostError(target, 'console', lost);
  return alone(target, signal, async () => {
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
    throw new QemuError('QEMU_LOCKED', `Another client is using the console of machine "${target.longName}"`, {
      cause: error,
    });
  } finally {
    removeEmptyFolder(target.files);
  }
}
