import { basename } from 'node:path';
import { errorCode, LaunchError } from '../../base/errors.ts';
import type { ProcessEnd } from '../../system/process/launch-process.ts';

/** What is known of a launch that failed. */
export interface FailedLaunch {
  /** Program and arguments. */
  readonly argv: readonly string[];
  /** QEMU's name among them. */
  readonly binary: string;
  /** How long QEMU had. */
  readonly timeoutMs: number;
  /** Undefined when it did not end: its time was up, or it was not to be understood. */
  readonly end: ProcessEnd | undefined;
  /** What it printed. */
  readonly output: string;
  readonly cause: unknown;
  readonly hint?: string | undefined;
}

/** The error of a QEMU that did not come up, in its own words. */
export function launchError({ argv, binary, timeoutMs, end, output, cause, hint }: FailedLaunch): LaunchError {
  const program = basename(binary);
  const said = cleanOutput(output, program);
  const detail = { argv, exitCode: end?.exitCode, signal: end?.signal, output: said };
  return new LaunchError(`${program} ${whatHappened(end, timeoutMs, cause)}${said ? `: ${said}` : ''}`, detail, {
    cause: end === undefined ? cause : undefined,
    hint,
  });
}

function whatHappened(end: ProcessEnd | undefined, timeoutMs: number, cause: unknown): string {
  if (end?.signal !== undefined) return `was ended by ${end.signal}`;
  if (end !== undefined) return `ended with exit status ${end.exitCode}`;
  if (errorCode(cause) === 'QEMU_TIMEOUT') return `did not answer within ${Math.round(timeoutMs / 1000)} seconds`;
  return 'did not answer as QEMU does, and was killed';
}

/** QEMU's lines without the time stamps and the program's name, which the message already has, and without its traces. */
export function cleanOutput(output: string, program: string): string {
  return output
    .split('\n')
    .filter((line) => !/^\d+@\d+\.\d+:\w+/.test(line))
    .map((line) =>
      line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z /, '').replace(new RegExp(`^(\\S*/)?${escapeRegExp(program)}: `), ''),
    )
    .join('\n')
    .trim();
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
