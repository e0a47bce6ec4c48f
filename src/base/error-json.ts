import { ConfigError } from './config-error.ts';
import { type ErrorCode, QemuError } from './errors.ts';
import { asText, isRecord, optionalText } from './guards.ts';
import { messageOf, oneLine } from './text.ts';

/** An error as it goes over a line. */
export interface ErrorJson {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
}

/** Its message says all: that of its cause, and what is wrong with a configuration, is part of it. */
export function errorToJson(error: unknown): ErrorJson {
  const causes = error instanceof ConfigError ? error.issues.map(({ message }) => message) : causesOf(error);
  return {
    code: error instanceof QemuError ? error.code : 'QEMU_COMMAND_FAILED',
    message: [...new Set([messageOf(error), ...causes])].join(': '),
    hint: error instanceof QemuError ? error.hint : undefined,
  };
}

/** The error that the other end had. A code that this version does not know is that of a command that failed. */
export function errorFromJson(value: unknown): QemuError {
  const { code, message, hint } = isRecord(value) ? value : {};
  const known = CODES.find((each) => each === code) ?? 'QEMU_COMMAND_FAILED';
  const advice = optionalText(hint);
  return new QemuError(known, oneLine(asText(message)) || 'It failed', {
    hint: advice === undefined ? undefined : oneLine(advice),
  });
}

function causesOf(error: unknown): string[] {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? [messageOf(cause), ...causesOf(cause)] : [];
}

/** Codes that mean the same on both sides of a line. */
const CODES: readonly ErrorCode[] = [
  'QEMU_NOT_PERMITTED',
  'QEMU_NOT_INSTALLED',
  'QEMU_CONFIG_INVALID',
  'QEMU_MACHINE_STATE',
  'QEMU_LAUNCH_FAILED',
  'QEMU_LOCKED',
  'QEMU_IO',
  'QEMU_TIMEOUT',
];
