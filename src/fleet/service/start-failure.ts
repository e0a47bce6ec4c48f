import { join } from 'node:path';
import { ConfigError } from '../../base/config-error.ts';
import { type ErrorCode, QemuError } from '../../base/errors.ts';
import type { Problem } from '../../base/problem.ts';
import { messageOf } from '../../base/text.ts';
import { ensureDir, readTextIfExists, removeIfExists } from '../../system/files/files.ts';
import { writeFileAtomic } from '../../system/files/write-file.ts';
import type { Paths } from '../../system/paths.ts';

/**
 * Why a start by the unit failed, for the command that asked systemd for it: the unit's status only shows that it did.
 */
interface Failure {
  /** ISO 8601. */
  readonly at: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | undefined;
  readonly issues: readonly Problem[] | undefined;
  /** Messages of its causes. */
  readonly causes: readonly string[];
}

/** Writes down why the machine did not start. */
export function writeStartFailure(paths: Paths, longName: string, error: unknown): void {
  ensureDir(folderOf(paths), 0o700);
  const failure: Failure = {
    at: new Date().toISOString(),
    code: error instanceof QemuError ? error.code : 'QEMU_LAUNCH_FAILED',
    message: messageOf(error),
    hint: error instanceof QemuError ? error.hint : undefined,
    issues: error instanceof ConfigError ? error.issues : undefined,
    causes: causesOf(error).map(messageOf),
  };
  writeFileAtomic(fileOf(paths, longName), JSON.stringify(failure), 0o600);
}

export function removeStartFailure(paths: Paths, longName: string): void {
  removeIfExists(fileOf(paths, longName));
}

/** The stored error; undefined when there is none. */
export function readStartFailure(paths: Paths, longName: string): QemuError | undefined {
  const text = readTextIfExists(fileOf(paths, longName));
  if (text === undefined) return undefined;
  // Only root writes there, and each file at once.
  const { code, message, hint, issues, causes } = JSON.parse(text) as Failure;
  const cause = causes.reduceRight<Error | undefined>((inner, each) => new Error(each, { cause: inner }), undefined);
  return issues ? new ConfigError(message, issues, { cause, hint }) : new QemuError(code, message, { cause, hint });
}

/** A start that failed, in one line. */
export interface StartFailure {
  /** ISO 8601. */
  readonly at: string;
  readonly message: string;
}

/**
 * Why the last start failed, if no command waited for it or it went through the unit; undefined if it did not fail, or
 * if only root may read that.
 */
export function lastStartFailure(paths: Paths, longName: string): StartFailure | undefined {
  try {
    const text = readTextIfExists(fileOf(paths, longName));
    if (text === undefined) return undefined;
    const { at, message, issues, causes }: Failure = JSON.parse(text);
    const first = issues?.find(({ severity }) => severity === 'error')?.message;
    return { at, message: first ?? [message, ...causes.slice(-1)].join(': ') };
  } catch {
    return undefined;
  }
}

/** No machine's name begins with a dot. */
function folderOf(paths: Paths): string {
  return join(paths.runDir, '.failures');
}

function fileOf(paths: Paths, longName: string): string {
  return join(folderOf(paths), `${longName}.json`);
}

function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = [];
  let each = error instanceof Error ? error.cause : undefined;
  for (; each !== undefined; each = each instanceof Error ? each.cause : undefined) causes.push(each);
  return causes;
}
