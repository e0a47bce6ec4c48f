import { QemuError } from '../../base/errors.ts';
import { asArray, asRecord, isRecord } from '../../base/guards.ts';
import { readTextIfExists } from '../../system/files/files.ts';
import type { LogMark } from '../../system/files/log/log-mark.ts';
import { writeFileAtomic } from '../../system/files/write-file.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { bootId, isSameProcess } from '../../system/process/process.ts';
import { keepCopy } from './kept.ts';
import { type StopSettings, stopSettingsFromJson } from './stop-settings.ts';

/** Where a start has got to. `starting` that outlives its command means the command was killed. */
export type RunPhase = 'starting' | 'running';

/** What start decided and found, kept next to the pid file. Everything in it can be lost: see {@link locate}. */
export interface RunRecord {
  readonly phase: RunPhase;
  readonly name: string;
  readonly configPath: string;
  /** Undefined until QEMU has been spawned. */
  readonly pid: number | undefined;
  /** Field 22 of /proc/PID/stat, in clock ticks since boot. */
  readonly pidStartTime: string | undefined;
  /** The boot or container that pid and start time belong to. */
  readonly bootId: string;
  /** Programs that QEMU needs while it runs, in addition to itself. They end with it. */
  readonly helpers: readonly HelperProcess[];
  /** User that QEMU runs as. */
  readonly uid: number | undefined;
  /** Its group, with RUNAS. */
  readonly gid: number | undefined;
  /** Device and inode of the program that the process was seen to run; undefined when that could not be seen. */
  readonly executable: string | undefined;
  readonly slot: number | undefined;
  readonly monitorPort: number | undefined;
  readonly controlPort: number | undefined;
  readonly tls: boolean;
  readonly vnc: RecordedVnc | undefined;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Started with --preconfig and, unless another client changed that, still in that state. */
  readonly preconfig: boolean;
  /** The end of the console log when this run began: what is before it is of earlier runs. */
  readonly consoleLog: LogMark;
  /** How it was to be stopped when it was started; undefined when that is lost. */
  readonly stop: StopSettings | undefined;
  /** A QEMU between two others: without what only one of them can have, such as ports. */
  readonly isInterim?: boolean | undefined;
}

/** A program that QEMU needs while it runs. */
export interface HelperProcess {
  /** Key of the cfg file that it is there for. */
  readonly key: string;
  /** Its name, such as `swtpm`. */
  readonly program: string;
  readonly pid: number;
  /** As of QEMU itself. */
  readonly startTime: string;
}

/** Where a machine's screen is served. */
export interface RecordedVnc {
  /** Address, or the path of a socket when display is undefined. */
  readonly host: string;
  readonly display: number | undefined;
  readonly port: number | undefined;
}

/**
 * The record of a machine; undefined when it is missing, cut in half or not ours. Of a machine whose run-time folder
 * was cleared while it runs it is the copy in the state folder.
 */
export function readRecord(machine: MachinePaths): RunRecord | undefined {
  return readFrom(machine.record) ?? keptRecord(machine);
}

/** Writes the record, and keeps a copy of that of a machine that runs. */
export function writeRecord(machine: MachinePaths, record: RunRecord): void {
  const text = `${JSON.stringify(record, null, 1)}\n`;
  writeFileAtomic(machine.record, text, 0o600);
  if (record.phase === 'running') keepCopy(machine, machine.keptRecord, text);
}

/** Whether pid and start time of a record mean something here and now: it is of this boot, or of this container. */
export function isOfThisBoot({ bootId: boot }: Pick<RunRecord, 'bootId'>): boolean {
  return boot === bootId();
}

/**
 * The run whose run-time folder went away with it in this boot, as that of a user does at the end of a login; its QEMU
 * is gone. Undefined when there is no such run.
 */
export function forgottenRun(machine: MachinePaths): RunRecord | undefined {
  const record = readFrom(machine.keptRecord);
  return record && isOfThisBoot(record) && readFrom(machine.record) === undefined ? record : undefined;
}

/** A copy outlives the boot, and a QEMU that was never cleaned up after: it counts only while its process lives. */
function keptRecord(machine: MachinePaths): RunRecord | undefined {
  const record = readFrom(machine.keptRecord);
  if (record?.pid === undefined || record.pidStartTime === undefined || !isOfThisBoot(record)) return undefined;
  return isSameProcess(record.pid, record.pidStartTime) ? record : undefined;
}

/** Anything but a regular file (FIFO, folder) is treated as no record: it must not keep a machine from starting. */
function readIfRegular(path: string): string | undefined {
  try {
    return readTextIfExists(path);
  } catch (error) {
    if (error instanceof QemuError && error.code === 'QEMU_IO') return undefined;
    throw error;
  }
}

function readFrom(path: string): RunRecord | undefined {
  const text = readIfRegular(path);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isRecord(value) ? fromJson(value) : undefined;
}

function fromJson(value: Record<string, unknown>): RunRecord | undefined {
  const { phase, name, configPath, bootId, startedAt } = value;
  if (phase !== 'starting' && phase !== 'running') return undefined;
  if (typeof name !== 'string' || typeof configPath !== 'string') return undefined;
  if (typeof bootId !== 'string' || typeof startedAt !== 'string') return undefined;
  return {
    phase,
    name,
    configPath,
    bootId,
    startedAt,
    pid: integer(value['pid']),
    pidStartTime: typeof value['pidStartTime'] === 'string' ? value['pidStartTime'] : undefined,
    helpers: asArray(value['helpers']).flatMap(helperProcess),
    uid: integer(value['uid']),
    gid: integer(value['gid']),
    executable: typeof value['executable'] === 'string' ? value['executable'] : undefined,
    slot: integer(value['slot']),
    monitorPort: integer(value['monitorPort']),
    controlPort: integer(value['controlPort']),
    tls: value['tls'] === true,
    vnc: recordedVnc(value['vnc']),
    preconfig: value['preconfig'] === true,
    consoleLog: logMark(value['consoleLog']),
    stop: stopSettingsFromJson(value['stop']),
    ...(value['isInterim'] === true && { isInterim: true }),
  };
}

function helperProcess(value: unknown): HelperProcess[] {
  const { key, program, pid, startTime } = asRecord(value);
  const number = integer(pid);
  if (number === undefined || typeof startTime !== 'string') return [];
  return [{ key: text(key), program: text(program), pid: number, startTime }];
}

function logMark(value: unknown): LogMark {
  const { offset, before, previous } = isRecord(value) ? value : {};
  return { offset: integer(offset) ?? 0, before: text(before), previous: text(previous) };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function recordedVnc(value: unknown): RecordedVnc | undefined {
  if (!isRecord(value) || typeof value['host'] !== 'string') return undefined;
  return { host: value['host'], display: integer(value['display']), port: integer(value['port']) };
}

function integer(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
}
