import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileError } from '../../system/files/file-error.ts';
import { isThere } from '../../system/files/files.ts';
import { removeTree } from '../../system/files/remove-tree.ts';
import { syncPath } from '../../system/files/sync.ts';
import { removeWithLeftovers } from '../../system/files/write-file.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { isSameProcess, type ProcessInfo, sendSignal, waitForExit } from '../../system/process/process.ts';
import type { MachineRef } from '../context.ts';
import { readLaunchRecord, writeLaunchRecord } from '../run/launch-record.ts';
import { locate, ProcessScan } from '../run/locate.ts';
import { type RunRecord, readRecord, writeRecord } from '../run/record.ts';

/*
 * While a machine has two, the first one's folder of sockets has another name, and the second one has all at its final
 * place: its command line, its pid file, what it removes when it ends. Only its records are apart until the guest is its.
 */

/** A process, by what makes it one. */
export type ProcessId = Pick<ProcessInfo, 'pid' | 'startTime'>;

/** The files of a machine as its second QEMU has them. */
export function secondFiles(files: MachinePaths): MachinePaths {
  return {
    ...files,
    record: join(files.dir, 'next.json'),
    launch: join(files.dir, 'next-launch.json'),
    keptRecord: join(files.keptDir, 'next.json'),
    keptLaunch: join(files.keptDir, 'next-launch.json'),
    // swtpm works inside it, whatever its name, and locks it.
    tpmDir: join(files.stateDir, 'tpm.next'),
    oldQemuDir: files.qemuDir,
    oldQmpSocket: files.qmpSocket,
  };
}

/** The same of the whole machine. */
export function secondOf(target: MachineRef): MachineRef {
  return { ...target, files: secondFiles(target.files) };
}

/** Makes room for the files of a second QEMU. Whoever is connected to the first one stays so. @throws {QemuError} `QEMU_IO` */
export function putAside({ qemuDir, oldQemuDir }: MachinePaths): void {
  rename(qemuDir, oldQemuDir);
}

/** Takes that back. Safe to repeat. @throws {QemuError} `QEMU_IO` */
export function putInPlace({ qemuDir, oldQemuDir }: MachinePaths): void {
  if (!isThere(oldQemuDir)) return;
  removeTree(qemuDir);
  rename(oldQemuDir, qemuDir);
}

function rename(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    throw fileError('rename', from, error);
  }
}

/** The second QEMU, also of a command that was killed before it could note which one it is. */
export function findSecond(files: MachinePaths, first: ProcessId): ProcessInfo | undefined {
  const others = new (class extends ProcessScan {
    override find(machine: MachinePaths): ProcessInfo[] {
      return super.find(machine).filter(({ pid }) => pid !== first.pid);
    }
  })();
  const located = locate(secondFiles(files), others);
  return located.kind === 'alive' ? located.process : undefined;
}

/** Ends a QEMU at once: what it would remove when it ends by itself is another one's now. Returns whether it is gone. */
export async function endAtOnce({ pid, startTime }: ProcessId, timeoutMs: number): Promise<boolean> {
  if (!isSameProcess(pid, startTime)) return true;
  sendSignal(pid, startTime, 'SIGKILL');
  return waitForExit(pid, startTime, timeoutMs);
}

/**
 * Makes the second QEMU the machine's, now that the first one is gone. Safe to repeat.
 *
 * @returns the record of the first one; undefined when this was done before.
 */
export function makeItTheMachines(files: MachinePaths): RunRecord | undefined {
  const second = secondFiles(files);
  const record = readRecord(second);
  const before = readRecord(files);
  if (record !== undefined) {
    const launched = readLaunchRecord(second);
    if (launched) writeLaunchRecord(files, launched);
    // The guest is the same: what its console has shown belongs to this run.
    writeRecord(files, { ...record, consoleLog: before?.consoleLog ?? record.consoleLog });
  }
  if (isThere(second.tpmDir)) {
    removeTree(files.tpmDir);
    rename(second.tpmDir, files.tpmDir);
    syncPath(files.stateDir);
  }
  removeTree(files.oldQemuDir);
  forgetSecond(files);
  return before?.pid === record?.pid ? undefined : before;
}

/** Removes what is noted of a second QEMU. Safe to repeat. */
export function forgetSecond(files: MachinePaths): void {
  const { record, launch, keptRecord, keptLaunch, tpmDir } = secondFiles(files);
  removeTree(tpmDir);
  for (const path of [keptRecord, keptLaunch, launch, record]) removeWithLeftovers(path);
}
