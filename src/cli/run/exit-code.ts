import { type ErrorCode, QemuError } from '../../base/errors.ts';
import type { MachineState } from '../../machine/observe/status.ts';

/** Status that shells report for a program ended by Ctrl-C. */
export const INTERRUPTED = 130;

/** Exit status of each error, after the LSB table for init scripts (Linux Standard Base, "Init Script Actions"). */
const EXIT_CODE: Readonly<Record<ErrorCode, number>> = {
  QEMU_USAGE: 2,
  QEMU_NOT_IMPLEMENTED: 3,
  QEMU_NOT_PERMITTED: 4,
  QEMU_NOT_INSTALLED: 5,
  QEMU_CONFIG_INVALID: 6,
  QEMU_MACHINE_UNKNOWN: 6,
  QEMU_DEVICE_UNKNOWN: 1,
  QEMU_NOT_RUNNING: 7,
  QEMU_NO_AGENT: 7,
  QEMU_MACHINE_STATE: 1,
  QEMU_LAUNCH_FAILED: 1,
  QEMU_STOP_FAILED: 1,
  QEMU_LOCKED: 1,
  QEMU_IO: 1,
  QEMU_COMMAND_FAILED: 1,
  QEMU_TIMEOUT: 1,
  QEMU_ABORTED: INTERRUPTED,
  QEMU_QMP_CONNECT: 1,
  QEMU_QMP_GREETING: 1,
  QEMU_QMP_NEGOTIATION: 1,
  QEMU_QMP_PROTOCOL: 1,
  QEMU_QMP_BAD_REPLY: 1,
  QEMU_QMP_REFUSED: 1,
  QEMU_QMP_CLOSED: 1,
  QEMU_QMP_STATE: 1,
};

/** Exit status of an error; 1 for errors of other code. */
export function exitCodeOf(error: unknown): number {
  return error instanceof QemuError ? EXIT_CODE[error.code] : 1;
}

/** Exit status of `status`, after the LSB table for that action. */
export function statusExitCode(state: MachineState): number {
  switch (state) {
    case 'dead':
      return 1;
    case 'stopped':
      return 3;
    case 'unresponsive':
      return 4;
    default:
      return 0;
  }
}

/** The status of a command with several results: the highest one. */
export function worst(codes: Iterable<number>): number {
  return Math.max(0, ...codes);
}
