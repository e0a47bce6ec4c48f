import { errorCode, QemuError } from '../../base/errors.ts';
import { withLock } from '../../system/lock/lock.ts';
import type { MachineRef } from '../context.ts';
import { removeEmptyFolder } from '../run/clean-up.ts';
import { lockedIfPossible } from '../run/run-lock.ts';

/** How long to wait for another session. */
export interface TurnOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Takes the turn at a machine's guest agent, which serves one client at a time and leaves others without an answer.
 *
 * @returns a function that gives the turn back; it may be called twice.
 * @throws {QemuError} `QEMU_LOCKED` when another session has it for longer than allowed; `QEMU_ABORTED`.
 */
export function takeAgentTurn(target: MachineRef, options: TurnOptions): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const held = (): Promise<void> => new Promise((release) => resolve(release));
    const lockOptions = { ...options, purpose: 'agent' };
    lockedIfPossible((locked) => withLock(target.files.agentLock, lockOptions, locked), held)
      .finally(() => removeEmptyFolder(target.files))
      // What fails at the end, when the turn has been given back, has no consequences: the holder is then dead.
      .catch((error: unknown) => reject(errorCode(error) === 'QEMU_LOCKED' ? busyError(target, error) : error));
  });
}

function busyError({ longName }: MachineRef, cause: unknown): QemuError {
  return new QemuError('QEMU_LOCKED', `Another command is using the guest agent of machine "${longName}"`, { cause });
}
