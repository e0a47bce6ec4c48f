import { lstatSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode, QemuError } from '../../base/errors.ts';
import { asArray, asText, isRecord } from '../../base/guards.ts';
import { fileError } from '../../system/files/file-error.ts';
import { ensureDir, readTextIfExists } from '../../system/files/files.ts';
import { syncPath } from '../../system/files/sync.ts';
import { removeWithLeftovers, writeFileAtomic } from '../../system/files/write-file.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { bootId, isSameProcess, readProcess } from '../../system/process/process.ts';

/**
 * Work on the disks of a machine that has begun and not ended. It is written before the first step and removed after
 * the last: what a killed command leaves is found by the next one, which ends it or undoes it.
 */
export interface WorkRecord {
  /** Name of a {@link WorkKind}. */
  readonly kind: string;
  /** For people: `copying DSK1 to "/srv/fast/web.qcow2"`. */
  readonly what: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** The process that does it. */
  readonly tool: WorkTool;
  /** Ids of its jobs inside QEMU. */
  readonly jobs: readonly string[];
  /** Files that are made, and removed when the work is undone. */
  readonly partFiles: readonly PartFile[];
  /** Changes of the machine's file, from its first value to its last. */
  readonly cfgEdits: readonly CfgEdit[];
  /** What else its kind has to know. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** In the data of work that ends the machine itself: a stop of it is no news then. */
export const ENDS_MACHINE = 'endsMachine';

/** A process, in the boot or container that pid and start time belong to. */
export interface WorkTool {
  readonly pid: number;
  /** Clock ticks since boot. */
  readonly startTime: string;
  readonly bootId: string;
}

/** A file that is not finished. */
export interface PartFile {
  /** Absolute. */
  readonly path: string;
  /** Device and inode as `DEV:INO`; undefined before it is made. Another file of that name is not removed. */
  readonly id?: string | undefined;
}

/** One line of the machine's file. */
export interface CfgEdit {
  readonly key: string;
  /** Its value, as written; undefined: no line. */
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** The record of a machine; undefined when it has none, or the caller may not read it. */
export function readWork(files: MachinePaths): WorkRecord | undefined {
  try {
    const value: unknown = JSON.parse(readTextIfExists(files.work) ?? 'null');
    return isRecord(value) ? fromJson(value) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof QemuError && error.code === 'QEMU_NOT_PERMITTED')) {
      return undefined;
    }
    throw error;
  }
}

/**
 * Whether the record was cut off together with the process that wrote it, before it did anything else. Of another user's
 * that cannot be told.
 */
export function isCutOff(files: MachinePaths): boolean {
  try {
    return readWork(files) === undefined && readTextIfExists(files.work) !== undefined;
  } catch {
    return false;
  }
}

/**
 * Writes the record, so that it outlives a power cut.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`.
 */
export function writeWork(files: MachinePaths, record: WorkRecord): void {
  ensureDir(files.stateDir, 0o700);
  const text = `${JSON.stringify(record, null, 1)}\n`;
  // A temporary file would stay unnoticed if this process were killed over it.
  if (hasWork(files)) writeFileAtomic(files.work, text, 0o600, { durable: true });
  else writeNewFile(files.work, text);
}

function writeNewFile(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600, flush: true });
    syncPath(dirname(path));
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') rmSync(path, { force: true });
    throw fileError('write', path, error);
  }
}

/** Removes the record. @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`. */
export function removeWork(files: MachinePaths): void {
  removeWithLeftovers(files.work);
}

/** Whether a machine may have unfinished work: costs one lstat(2). */
export function hasWork(files: MachinePaths): boolean {
  try {
    return lstatSync(files.work, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // Not for this user to see.
    return false;
  }
}

/** Records of the work that this process does. */
const ownWork = new Set<string>();

/** Notes that this process does the work of a machine, or that it does so no longer. */
export function setAtWork(files: MachinePaths, isAtIt: boolean): void {
  if (isAtIt) ownWork.add(files.work);
  else ownWork.delete(files.work);
}

/** Whether the process that does the work lives, and has not given it up. */
export function isAtWork(files: MachinePaths, { tool }: WorkRecord): boolean {
  if (tool.bootId !== bootId() || !isSameProcess(tool.pid, tool.startTime)) return false;
  return tool.pid !== process.pid || ownWork.has(files.work);
}

/** This process. */
export function ownTool(): WorkTool {
  return { pid: process.pid, startTime: readProcess(process.pid)?.startTime ?? '', bootId: bootId() };
}

function fromJson(value: Readonly<Record<string, unknown>>): WorkRecord | undefined {
  const { kind, what, startedAt, tool, data } = value;
  if (typeof kind !== 'string' || typeof what !== 'string' || typeof startedAt !== 'string') return undefined;
  if (!isRecord(tool) || typeof tool['pid'] !== 'number') return undefined;
  return {
    kind,
    what,
    startedAt,
    tool: { pid: tool['pid'], startTime: asText(tool['startTime']), bootId: asText(tool['bootId']) },
    jobs: asArray(value['jobs']).filter((each) => typeof each === 'string'),
    partFiles: asArray(value['partFiles']).flatMap((each) =>
      isRecord(each) && typeof each['path'] === 'string' ? [{ path: each['path'], id: word(each['id']) }] : [],
    ),
    cfgEdits: asArray(value['cfgEdits']).flatMap((each) =>
      isRecord(each) && typeof each['key'] === 'string'
        ? [{ key: each['key'], from: word(each['from']), to: word(each['to']) }]
        : [],
    ),
    data: isRecord(data) ? data : {},
  };
}

function word(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
