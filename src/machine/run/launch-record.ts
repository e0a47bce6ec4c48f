import { QemuError } from '../../base/errors.ts';
import { isRecord } from '../../base/guards.ts';
import { readTextIfExists } from '../../system/files/files.ts';
import { writeFileAtomic } from '../../system/files/write-file.ts';
import type { MachinePaths } from '../../system/paths.ts';
import type { Part } from '../argv/description.ts';
import { partsFromJson } from '../argv/parts-from-json.ts';
import { keepCopy } from './kept.ts';

/** What a running machine was started with: its files may have changed since. */
export interface LaunchRecord {
  /** The program and its arguments, without what runs them as another user. */
  readonly binary: string;
  readonly args: readonly string[];
  /** The machine as a cfg file with the host's defaults in it, every path absolute. */
  readonly config: string;
  /** What the arguments were made from; undefined in the record of an earlier version. */
  readonly parts?: readonly Part[] | undefined;
}

/** Writes it before QEMU starts, with a copy that outlives a run-time folder that is cleared. */
export function writeLaunchRecord(machine: MachinePaths, record: LaunchRecord): void {
  const text = `${JSON.stringify(record, null, 1)}\n`;
  writeFileAtomic(machine.launch, text, 0o600);
  keepCopy(machine, machine.keptLaunch, text);
}

/** Of a machine that runs; undefined when it is lost, or damaged. */
export function readLaunchRecord(machine: MachinePaths): LaunchRecord | undefined {
  return readFrom(machine.launch) ?? readFrom(machine.keptLaunch);
}

function readFrom(path: string): LaunchRecord | undefined {
  try {
    const value: unknown = JSON.parse(readTextIfExists(path) ?? '');
    if (!isRecord(value)) return undefined;
    const { binary, args, config, parts } = value;
    if (typeof binary !== 'string' || typeof config !== 'string' || !Array.isArray(args)) return undefined;
    if (!args.every((each) => typeof each === 'string')) return undefined;
    const known = partsFromJson(parts);
    return { binary, args, config, ...(known && { parts: known }) };
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof QemuError && error.code === 'QEMU_IO')) return undefined;
    throw error;
  }
}
