import { QemuError } from '../../base/errors.ts';
import { isRecord } from '../../base/guards.ts';
import { readTextIfExists } from '../../system/files/files.ts';
import { writeFileAtomic } from '../../system/files/write-file.ts';
import type { MachinePaths } from '../../system/paths.ts';
import type { ProcessInfo } from '../../system/process/process.ts';
import { partsFromJson } from '../argv/parts-from-json.ts';
import { keepCopy } from '../run/kept.ts';
import type { Running } from './running.ts';

type Process = Pick<ProcessInfo, 'pid' | 'startTime'>;

/**
 * Notes what a machine consists of, before each step that changes it: a part in the note may be there, one that is not
 * in it is not. A copy outlives a run-time folder that is cleared.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`.
 */
export function writeJournal(files: MachinePaths, process: Process, running: Running): void {
  const { pid, startTime } = process;
  const text = `${JSON.stringify({ pid, startTime, ...running }, null, 1)}\n`;
  writeFileAtomic(files.plugged, text, 0o600);
  keepCopy(files, files.keptPlugged, text);
}

/** The note about a QEMU; undefined when nothing was plugged in or unplugged, or the note is damaged. */
export function readJournal(files: MachinePaths, process: Process): Running | undefined {
  return readFrom(files.plugged, process) ?? readFrom(files.keptPlugged, process);
}

function readFrom(path: string, { pid, startTime }: Process): Running | undefined {
  try {
    const value: unknown = JSON.parse(readTextIfExists(path) ?? '');
    if (!isRecord(value) || value['pid'] !== pid || value['startTime'] !== startTime) return undefined;
    const { config, plugged, leaving } = value;
    const parts = partsFromJson(value['parts']);
    if (typeof config !== 'string' || parts === undefined || !isRecord(leaving)) return undefined;
    if (!Array.isArray(plugged) || !plugged.every((id) => typeof id === 'string')) return undefined;
    const since = Object.entries(leaving).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
    return { config, parts, plugged, leaving: Object.fromEntries(since) };
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof QemuError && error.code === 'QEMU_IO')) return undefined;
    throw error;
  }
}
