import { oneLine } from './text.ts';

/**
 * What went wrong, as a stable word. Every error that this package raises on purpose is a {@link QemuError} with one
 * of these codes; the table from code to exit status is in `cli/exit-code.ts`.
 */
export type ErrorCode =
  /** The call itself is wrong: unknown option, missing argument, impossible combination. */
  | 'QEMU_USAGE'
  /** Asked for something that this version does not do. */
  | 'QEMU_NOT_IMPLEMENTED'
  /** The user may not do this (EACCES, EPERM). */
  | 'QEMU_NOT_PERMITTED'
  /** QEMU or another needed program is missing. */
  | 'QEMU_NOT_INSTALLED'
  /** A configuration file is wrong; see {@link ConfigError} for where. */
  | 'QEMU_CONFIG_INVALID'
  /** No machine of that name is registered or found. */
  | 'QEMU_MACHINE_UNKNOWN'
  /** The machine has no such device. */
  | 'QEMU_DEVICE_UNKNOWN'
  /** The machine is not running and had to be. */
  | 'QEMU_NOT_RUNNING'
  /** No guest agent answers in the machine. */
  | 'QEMU_NO_AGENT'
  /** The machine did not get into the state that was asked for. */
  | 'QEMU_MACHINE_STATE'
  /** QEMU did not start. */
  | 'QEMU_LAUNCH_FAILED'
  /** The machine is still running after all that was allowed. */
  | 'QEMU_STOP_FAILED'
  /** Another command holds the lock longer than we may wait. */
  | 'QEMU_LOCKED'
  /** A file could not be read or written (disk full, read-only, damaged). */
  | 'QEMU_IO'
  /** A program that was called failed. */
  | 'QEMU_COMMAND_FAILED'
  /** A deadline passed. */
  | 'QEMU_TIMEOUT'
  /** An AbortSignal, Ctrl-C or SIGTERM ended the call. */
  | 'QEMU_ABORTED'
  /** The monitor's address cannot be connected to. */
  | 'QEMU_QMP_CONNECT'
  /** The peer's first message is not a QMP greeting. */
  | 'QEMU_QMP_GREETING'
  /** `qmp_capabilities` was refused. */
  | 'QEMU_QMP_NEGOTIATION'
  /** The peer broke the protocol: no JSON, no object, line too long, error without id. */
  | 'QEMU_QMP_PROTOCOL'
  /** The answer to one command has neither or both of `return` and `error`. */
  | 'QEMU_QMP_BAD_REPLY'
  /** QEMU answered a command with an error. */
  | 'QEMU_QMP_REFUSED'
  /** The connection ended before the answer came. */
  | 'QEMU_QMP_CLOSED'
  /** The call does not fit the state of the connection. */
  | 'QEMU_QMP_STATE';

/** What a {@link QemuError} has in addition to code and message. */
export interface QemuErrorOptions {
  /** What led to it; printed below the message, never repeated in it. */
  readonly cause?: unknown;
  /** What the operator can do about it. */
  readonly hint?: string | undefined;
}

/** The ancestor of every error that this package raises on purpose. */
export class QemuError extends Error {
  override readonly name: string = 'QemuError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: QemuErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}

/** QEMU did not start. Code `QEMU_LAUNCH_FAILED`. */
export class LaunchError extends QemuError {
  override readonly name = 'LaunchError';
  /** Program and arguments. */
  readonly argv: readonly string[];
  /** Exit status, or undefined when a signal ended it or it did not end. */
  readonly exitCode: number | undefined;
  /** Signal that ended it. */
  readonly signal: string | undefined;
  /** What QEMU printed. */
  readonly output: string;

  constructor(
    message: string,
    detail: { argv: readonly string[]; exitCode?: number | undefined; signal?: string | undefined; output: string },
    options: QemuErrorOptions = {},
  ) {
    super('QEMU_LAUNCH_FAILED', message, options);
    this.argv = detail.argv;
    this.exitCode = detail.exitCode;
    this.signal = detail.signal;
    this.output = detail.output;
  }
}

/** The machine is not in the state that was asked for. Code `QEMU_MACHINE_STATE`, of a stop `QEMU_STOP_FAILED`. */
export class MachineStateError extends QemuError {
  override readonly name = 'MachineStateError';
  /** The state that was seen, as `status` has it. */
  readonly state: string;

  constructor(
    code: 'QEMU_MACHINE_STATE' | 'QEMU_STOP_FAILED',
    message: string,
    state: string,
    options: QemuErrorOptions = {},
  ) {
    super(code, message, options);
    this.state = state;
  }
}

/** QEMU, or a guest agent, answered a command with an error. Code `QEMU_QMP_REFUSED`. */
export class QmpRefusedError extends QemuError {
  override readonly name = 'QmpRefusedError';
  /** QMP error class, such as `GenericError` or `CommandNotFound`. */
  readonly errorClass: string;
  /** QEMU's own sentence; made for people, never to be parsed. */
  readonly desc: string;
  /** The command that was refused. */
  readonly command: string;
  /** The id that it was sent with. */
  readonly id: number | undefined;

  /** @param detail `by`: who refused, for the message; default: QEMU. */
  constructor(detail: {
    errorClass: string;
    desc: string;
    command: string;
    id?: number | undefined;
    by?: string | undefined;
  }) {
    super('QEMU_QMP_REFUSED', `${detail.by ?? 'QEMU'} refused "${detail.command}": ${oneLine(detail.desc)}`);
    this.errorClass = detail.errorClass;
    this.desc = detail.desc;
    this.command = detail.command;
    this.id = detail.id;
  }
}

/** The code of an error from anywhere: ours, or Node's `ENOENT` family. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Whether the error means that a file or process does not exist. */
export function isNotFound(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ESRCH';
}
