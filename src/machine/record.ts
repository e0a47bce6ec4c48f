import { readTextIfExists, writeFileAtomic } from '../system/files.ts';
import type { MachinePaths } from '../system/paths.ts';
import { type StopSettings, stopSettingsFromJson } from './stop-settings.ts';

/** Where a start has got to. `starting` that outlives its command means the command was killed. */
export type RunPhase = 'starting' | 'running';

/** What start decided and found, kept beside the pid file. Everything in it can be lost: see {@link locate}. */
export interface RunRecord {
  readonly phase: RunPhase;
  readonly name: string;
  readonly configPath: string;
  /** Undefined until QEMU has been spawned. */
  readonly pid: number | undefined;
  /** Field 22 of /proc/PID/stat, in clock ticks since boot. */
  readonly pidStartTime: string | undefined;
  /** The boot that pid and start time belong to. */
  readonly bootId: string;
  readonly slot: number | undefined;
  readonly monitorPort: number | undefined;
  readonly controlPort: number | undefined;
  readonly tls: boolean;
  readonly vnc: RecordedVnc | undefined;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Started with --preconfig and, as far as we know, still there. */
  readonly preconfig: boolean;
  /** Size of the console log when this run began: what stands before it is of earlier runs. */
  readonly consoleLogOffset: number;
  /** How it was to be stopped when it was started; undefined when that is lost. */
  readonly stop: StopSettings | undefined;
}

export interface RecordedVnc {
  /** Address, or the path of a socket when display is undefined. */
  readonly host: string;
  readonly display: number | undefined;
  readonly port: number | undefined;
}

/** The record of a machine; undefined when it is missing, cut in half or not ours. */
export function readRecord(machine: MachinePaths): RunRecord | undefined {
  const text = readTextIfExists(machine.record);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isRecord(value) ? fromJson(value) : undefined;
}

export function writeRecord(machine: MachinePaths, record: RunRecord): void {
  writeFileAtomic(machine.record, `${JSON.stringify(record, null, 1)}\n`, 0o600);
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
    slot: integer(value['slot']),
    monitorPort: integer(value['monitorPort']),
    controlPort: integer(value['controlPort']),
    tls: value['tls'] === true,
    vnc: recordedVnc(value['vnc']),
    preconfig: value['preconfig'] === true,
    consoleLogOffset: integer(value['consoleLogOffset']) ?? 0,
    stop: stopSettingsFromJson(value['stop']),
  };
}

function recordedVnc(value: unknown): RecordedVnc | undefined {
  if (!isRecord(value) || typeof value['host'] !== 'string') return undefined;
  return { host: value['host'], display: integer(value['display']), port: integer(value['port']) };
}

function integer(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
