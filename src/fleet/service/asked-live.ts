import { join } from 'node:path';
import { type ErrorCode, QemuError } from '../../base/errors.ts';
import { asNumber, asText, isRecord } from '../../base/guards.ts';
import type { OnProgress, Progress } from '../../base/progress.ts';
import type { Notice } from '../../machine/context.ts';
import type { RestartLiveOptions, RestartLiveResult } from '../../machine/live/restart-result.ts';
import { ensureDir, readTextIfExists, removeIfExists } from '../../system/files/files.ts';
import { writeFileAtomic } from '../../system/files/write-file.ts';
import type { Paths } from '../../system/paths.ts';

/** What the unit is to do with its next reload; it has no other way to be told. */
export type AskedLive = Pick<RestartLiveOptions, 'rate' | 'downtimeMs' | 'timeoutMs'>;

/** How seldom the unit stores how far it is. */
const PROGRESS_MS = 500;

/** What became of it, for the command that asked. */
export interface LiveAnswer {
  readonly result?: RestartLiveResult | undefined;
  readonly error?: QemuError | undefined;
  readonly notices: readonly Notice[];
}

/** Has the next reload of the unit be a live restart. */
export function askLive(paths: Paths, longName: string, { rate, downtimeMs, timeoutMs }: AskedLive): void {
  ensureDir(folderOf(paths), 0o700);
  for (const path of [answerOf(paths, longName), progressOf(paths, longName)]) removeIfExists(path);
  writeFileAtomic(fileOf(paths, longName), `${JSON.stringify({ rate, downtimeMs, timeoutMs })}\n`, 0o600);
}

/** What was asked for, once; undefined: nothing. */
export function takeLive(paths: Paths, longName: string): AskedLive | undefined {
  const value = parsed(fileOf(paths, longName));
  removeIfExists(fileOf(paths, longName));
  if (value === undefined) return undefined;
  const number = (key: keyof AskedLive): number | undefined => {
    const each = value[key];
    return typeof each === 'number' ? each : undefined;
  };
  return { rate: number('rate'), downtimeMs: number('downtimeMs'), timeoutMs: number('timeoutMs') };
}

/** Stores how far it is, for the command that asked: what the unit prints is in the journal. */
export function liveProgress(paths: Paths, longName: string): OnProgress {
  let last = Number.NEGATIVE_INFINITY;
  return (progress) => {
    const now = performance.now();
    if (now - last < PROGRESS_MS) return;
    last = now;
    ensureDir(folderOf(paths), 0o700);
    writeFileAtomic(progressOf(paths, longName), `${JSON.stringify(progress)}\n`, 0o600);
  };
}

/** How far it is; undefined before the first step and after the last one. */
export function readLiveProgress(paths: Paths, longName: string): Progress | undefined {
  const value = parsed(progressOf(paths, longName));
  if (value === undefined) return undefined;
  const { phase, done, total, bytesPerSecond } = value;
  return {
    phase: asText(phase),
    done: asNumber(done),
    total: asNumber(total),
    bytesPerSecond: typeof bytesPerSecond === 'number' ? bytesPerSecond : undefined,
  };
}

/** Stores what became of it. */
export function answerLive(
  paths: Paths,
  longName: string,
  outcome: { readonly result?: RestartLiveResult; readonly error?: unknown; readonly notices: readonly Notice[] },
): void {
  const { result, error, notices } = outcome;
  const failure =
    error instanceof QemuError ? { code: error.code, message: error.message, hint: error.hint } : undefined;
  const told = notices.filter(({ level }) => level === 'info' || level === 'warning');
  ensureDir(folderOf(paths), 0o700);
  removeIfExists(progressOf(paths, longName));
  writeFileAtomic(answerOf(paths, longName), `${JSON.stringify({ result, failure, notices: told })}\n`, 0o600);
}

/** The answer, once; undefined when there is none. */
export function takeLiveAnswer(paths: Paths, longName: string): LiveAnswer | undefined {
  const value = parsed(answerOf(paths, longName));
  removeIfExists(answerOf(paths, longName));
  if (value === undefined) return undefined;
  // Only the unit, whose user is the same, writes there, and each file at once.
  const { result, failure, notices } = value as {
    result?: RestartLiveResult;
    failure?: { code: ErrorCode; message: string; hint?: string };
    notices: Notice[];
  };
  return {
    result,
    error: failure && new QemuError(failure.code, failure.message, { hint: failure.hint }),
    notices,
  };
}

function parsed(path: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(readTextIfExists(path) ?? 'null');
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** No machine's name begins with a dot. */
function folderOf(paths: Paths): string {
  return join(paths.runDir, '.live');
}

function fileOf(paths: Paths, longName: string): string {
  return join(folderOf(paths), `${longName}.json`);
}

function answerOf(paths: Paths, longName: string): string {
  return join(folderOf(paths), `${longName}.answer.json`);
}

function progressOf(paths: Paths, longName: string): string {
  return join(folderOf(paths), `${longName}.progress.json`);
}
