import { basename } from 'node:path';
import { isThere } from '../../system/files/files.ts';
import type { MachinePaths } from '../../system/paths.ts';
import {
  type Executable,
  findProcesses,
  hasOtherRoot,
  isSameProcess,
  type ProcessInfo,
  readExecutable,
  readProcess,
} from '../../system/process/process.ts';
import { isOfThisBoot, type RunRecord, readRecord } from './record.ts';

/** Whether a machine's QEMU lives, found out from our own record and /proc. */
export type Located =
  | { readonly kind: 'alive'; readonly process: ProcessInfo; readonly record: RunRecord | undefined }
  | Gone;

/** A machine without a QEMU. */
export type Gone =
  /** A pid file was left behind: QEMU was killed. */
  | { readonly kind: 'dead'; readonly record: RunRecord | undefined }
  /** No QEMU and no pid file; QEMU removes it when it ends by itself. */
  | { readonly kind: 'stopped'; readonly record: RunRecord | undefined };

/**
 * Finds the QEMU of a machine.
 *
 * Our own record names it, by pid, start time and program. QEMU's pid file is never believed: a captured QEMU can write
 * any pid into it. Without a pid in a record, /proc is searched, where any user can put a process with any command
 * line: see {@link isProven}. A zombie is dead, but a process whose first thread has exited is not.
 *
 * @param scan where else to look.
 * @param mayBeRecent whether a look that is at most a second old will do for a machine that has left no file.
 */
export function locate(machine: MachinePaths, scan?: ProcessScan, mayBeRecent = scan === undefined): Located {
  const record = readRecord(machine);
  const gone = goneOf(machine, record);
  const hasPidFile = gone.kind === 'dead';
  if (record?.pid !== undefined && isOfThisBoot(record)) {
    const process = recordedProcess(machine, record);
    return process ? { kind: 'alive', process, record } : gone;
  }
  // A clean end removes the pid file and leaves the record of a completed start: nothing to look for.
  if (record?.phase === 'running' && !hasPidFile) return gone;
  // Without any file it is almost certainly stopped, unless the folders were cleared.
  const isRecentEnough = mayBeRecent && record === undefined && !hasPidFile;
  const look = isRecentEnough ? recentScan() : (scan ?? new ProcessScan());
  const start = record && isOfThisBoot(record) && record.phase === 'starting' ? record : undefined;
  const process = look.find(machine).find((candidate) => isProven(candidate, start));
  return process ? { kind: 'alive', process, record } : gone;
}

/** The remains of a machine whose QEMU has ended. The pid file is not opened, since QEMU made it. */
export function goneOf(machine: MachinePaths, record: RunRecord | undefined): Gone {
  return { kind: isThere(machine.pidFile) ? 'dead' : 'stopped', record };
}

/**
 * One look through /proc, shared by the machines of a command. Costs some milliseconds and is only made when a
 * machine's own files are not enough.
 */
export class ProcessScan {
  #found: readonly ProcessInfo[] | undefined;

  /** The living processes of any user whose command line names the machine's pid file. */
  find(machine: MachinePaths): ProcessInfo[] {
    // Not everything that names the file is QEMU; all that we start has the other option too.
    this.#found ??= findProcesses((argv) => argv.includes('-pidfile') && argv.includes('-no-user-config'));
    const found = this.#found.filter(
      ({ argv, pid, startTime }) => pidFileOf(argv) === machine.pidFile && isSameProcess(pid, startTime),
    );
    // A program that runs QEMU, such as timeout(1), has QEMU's command line after its own.
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

/** The process that a record names, when it is still that one. */
function recordedProcess(machine: MachinePaths, record: RunRecord): ProcessInfo | undefined {
  const found = record.pid === undefined ? undefined : readProcess(record.pid);
  if (found?.startTime !== record.pidStartTime || found === undefined || !isPlain(found)) return undefined;
  const program = readExecutable(found);
  const isAnother = program && record.executable !== undefined && program.id !== record.executable;
  if (isAnother) return undefined;
  // Not every user may see which program it is; then at least its command line has to be QEMU's.
  const isSeen = program !== undefined && record.executable !== undefined;
  return isSeen || pidFileOf(found.argv) === machine.pidFile ? found : undefined;
}

/**
 * Whether a process that merely says so on its command line is the machine's.
 *
 * It has to be in our own pid namespace and root folder, all four of its user ids have to be the same, and root's or
 * the caller's own; and what it runs must not be a set-user-ID program, which would have those ids from its owner and
 * its arguments from any user. Unless a start was interrupted it has to be QEMU by its name, too. Another user's
 * process counts only when the record of such a start names that user, and then only if it is QEMU.
 */
function isProven(found: ProcessInfo, start: RunRecord | undefined): boolean {
  if (!isPlain(found) || hasOtherRoot(found)) return false;
  const program = readExecutable(found);
  if (program?.isSetId) return false;
  const isOwn = found.uid === 0 || found.uid === process.geteuid?.();
  // The program in front of QEMU, such as setpriv, may not have become QEMU yet.
  if (isOwn && start) return true;
  return (isOwn || found.uid === start?.uid) && (program === undefined || isQemu(program));
}

/** Whether it is neither a set-user-ID program nor in a container. */
function isPlain({ hasOneUid, isOfThisNamespace }: ProcessInfo): boolean {
  return hasOneUid && isOfThisNamespace;
}

/** By the name of its file: `qemu-system-x86_64`, `qemu-kvm` and `kvm` are usual. */
function isQemu({ path }: Executable): boolean {
  return /^(qemu|kvm)/.test(basename(path));
}

function pidFileOf(argv: readonly string[]): string | undefined {
  const at = argv.indexOf('-pidfile');
  return at < 0 ? undefined : argv[at + 1];
}
