import { statSync } from 'node:fs';
import type { MonitorConfig } from '../config/types.ts';
import { readSmallFile } from '../system/files.ts';
import type { MachinePaths } from '../system/paths.ts';
import { bootId, findProcesses, isSameProcess, type ProcessInfo, readProcess } from '../system/process.ts';
import { slotOfMonitorPort, VNC_BASE_PORT } from './allocation.ts';
import { type RecordedVnc, type RunRecord, readRecord } from './record.ts';

/** Whether a machine's QEMU lives, found out from the pid file, /proc and the record. */
export type Located =
  | { readonly kind: 'alive'; readonly process: ProcessInfo; readonly record: RunRecord | undefined }
  /** A pid file was left behind: QEMU was killed. */
  | { readonly kind: 'dead'; readonly record: RunRecord | undefined }
  /** No QEMU and no pid file; QEMU removes it when it ends by itself. */
  | { readonly kind: 'stopped'; readonly record: RunRecord | undefined };

/**
 * Finds the QEMU of a machine. A process counts only when its command line names the machine's own pid file, so a pid
 * that went to another program is not taken for it, and when nobody else runs it: any user can give a program such a command
 * line. A zombie is dead. Files that are missing, empty or cut in half are made up for by a look through /proc.
 */
export function locate(machine: MachinePaths, scan?: ProcessScan): Located {
  const pidText = readSmallFile(machine.pidFile);
  const record = readRecord(machine);
  if (pidText === undefined && record === undefined) {
    // Stopped, almost always; unless somebody has cleared the run-time folder.
    const lost = (scan ?? recentScan()).find(machine).find((candidate) => isOf(machine, candidate, undefined));
    return lost ? { kind: 'alive', process: lost, record } : { kind: 'stopped', record };
  }

  const candidates = [pidFromText(pidText), record?.bootId === bootId() ? record.pid : undefined];
  for (const pid of candidates) {
    const found = pid === undefined ? undefined : readProcess(pid);
    if (found && isOf(machine, found, record)) return { kind: 'alive', process: found, record: sameRun(record, found) };
  }
  // A clean end removes the pid file and leaves the record of a completed start: nothing to look for.
  if (pidText === undefined && record?.phase === 'running') return { kind: 'stopped', record };

  const found = (scan ?? new ProcessScan()).find(machine).find((candidate) => isOf(machine, candidate, record));
  if (found) return { kind: 'alive', process: found, record: sameRun(record, found) };
  return { kind: pidText === undefined ? 'stopped' : 'dead', record };
}

/**
 * One look through /proc, shared by the machines of a command. Costs some milliseconds and is only made when a
 * machine's own files do not tell.
 */
export class ProcessScan {
  #found: readonly ProcessInfo[] | undefined;

  /** The living processes, anybody's, whose command line names the machine's pid file. */
  find(machine: MachinePaths): ProcessInfo[] {
    // Not everything that names the file is QEMU; all that we start has the other option too.
    this.#found ??= findProcesses((argv) => argv.includes('-pidfile') && argv.includes('-no-user-config'));
    const found = this.#found.filter(
      ({ argv, pid, startTime }) => pidFileOf(argv) === machine.pidFile && isSameProcess(pid, startTime),
    );
    // A program that runs QEMU, such as timeout(1), has QEMU's command line behind its own.
    return found.sort((a, b) => a.argv.indexOf('-no-user-config') - b.argv.indexOf('-no-user-config'));
  }
}

let recent = { scan: new ProcessScan(), at: Number.NEGATIVE_INFINITY };
const RECENT_MS = 1_000;

/** A look that is at most a second old, for what has not just begun. */
function recentScan(): ProcessScan {
  if (performance.now() - recent.at > RECENT_MS) recent = { scan: new ProcessScan(), at: performance.now() };
  return recent.scan;
}

/** The slot of a running machine whose record is lost, read off its command line. */
export function slotFromArgv(argv: readonly string[], monitor: MonitorConfig): number | undefined {
  for (const argument of argv) {
    const port = /^socket,id=mon4,.*\bport=(\d+)/.exec(argument)?.[1];
    if (port !== undefined) return slotOfMonitorPort(Number(port), monitor);
  }
  return undefined;
}

/** The VNC server of a running machine whose record is lost, likewise. */
export function vncFromArgv(argv: readonly string[]): RecordedVnc | undefined {
  const value = argv.includes('-vnc') ? argv[argv.indexOf('-vnc') + 1] : undefined;
  const [, host, display] = /^(.*):(\d+)(?:,|$)/.exec(value ?? '') ?? [];
  if (host === undefined) return undefined;
  return { host: host.replace(/^\[(.*)\]$/, '$1'), display: Number(display), port: VNC_BASE_PORT + Number(display) };
}

/** The record, when it is of this very process: a pid and start time that disagree are of an earlier run. */
function sameRun(record: RunRecord | undefined, found: ProcessInfo): RunRecord | undefined {
  if (record?.pid === undefined) return record;
  return record.pid === found.pid && record.pidStartTime === found.startTime ? record : undefined;
}

function isOf(machine: MachinePaths, found: ProcessInfo, record: RunRecord | undefined): boolean {
  if (pidFileOf(found.argv) !== machine.pidFile) return false;
  const isRecorded = record?.pid === found.pid && record.pidStartTime === found.startTime;
  if (isRecorded || found.uid === 0 || found.uid === process.geteuid?.()) return true;
  // The log outlives a run-time folder that somebody has cleared.
  return found.uid === (ownerOf(machine.qemuDir) ?? ownerOf(machine.consoleLog));
}

/** The user that QEMU runs as has the folder of its sockets and the log of its console. */
function ownerOf(path: string): number | undefined {
  try {
    return statSync(path).uid;
  } catch {
    // It is missing, or in a folder that is closed to us.
    return undefined;
  }
}

function pidFileOf(argv: readonly string[]): string | undefined {
  const at = argv.indexOf('-pidfile');
  return at < 0 ? undefined : argv[at + 1];
}

function pidFromText(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}\n$/.test(text) ? Number(text) : undefined;
}
