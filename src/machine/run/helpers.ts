import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { isThere } from '../../system/files/files.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { findProcesses, isSameProcess, sendSignal, waitForExit } from '../../system/process/process.ts';
import type { MachineRef } from '../context.ts';
import { isOfThisBoot, type RunRecord, readRecord } from './record.ts';

/** What is known of a process. */
interface Found {
  readonly pid: number;
  readonly startTime: string;
}

/** They write what they have at once, and end within milliseconds. */
const END_MS = 2_000;

/**
 * Ends what is left of the programs that a QEMU needed: each ends with its QEMU, but one to which no QEMU has ever
 * connected waits for it.
 */
export async function endHelpers(files: MachinePaths, record: RunRecord | undefined): Promise<void> {
  await endAll([...recordedHelpers(record), ...strayTpms(files)]);
}

/** The same for those alone that a record names. */
export function endRecordedHelpers(record: RunRecord | undefined): Promise<void> {
  return endAll(recordedHelpers(record));
}

function recordedHelpers(record: RunRecord | undefined): readonly Found[] {
  return record && isOfThisBoot(record) ? record.helpers : [];
}

async function endAll(processes: readonly Found[]): Promise<void> {
  for (const { pid, startTime } of processes) {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (!sendSignal(pid, startTime, signal) || (await waitForExit(pid, startTime, END_MS))) break;
    }
  }
}

/**
 * Processes of swtpm(8) that work in the folder of this machine's TPM: a start that was killed has not recorded them.
 * Others than its user and root cannot get into that folder.
 */
function strayTpms({ tpmDir }: MachinePaths): Found[] {
  if (!isThere(tpmDir)) return [];
  return findProcesses((argv) => argv.some((word) => basename(word) === 'swtpm')).filter(({ pid }) =>
    isSameFolder(`/proc/${pid}/cwd`, tpmDir),
  );
}

function isSameFolder(one: string, other: string): boolean {
  try {
    const [a, b] = [statSync(one, { bigint: true }), statSync(other, { bigint: true })];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}

/** What a machine that runs has lost with such a program, as clauses. */
export function lostHelpers({ files }: MachineRef): string[] {
  let record: RunRecord | undefined;
  try {
    record = readRecord(files);
  } catch {
    // This user may not look at it.
    return [];
  }
  return (record?.helpers ?? [])
    .filter(({ pid, startTime }) => !isSameProcess(pid, startTime))
    .map(({ key, program }) => `${program} (process of ${key}) has ended: ${CONSEQUENCES[program] ?? 'it is missing'}`);
}

const CONSEQUENCES: Readonly<Record<string, string>> = {
  swtpm: 'the guest no longer has its TPM, and a reset of the guest will end QEMU',
  virtiofsd: 'programs of the guest that use the folder hang until the machine is restarted',
};
