import { join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { QmpClient } from '../../qmp/client.ts';
import { ensureDir, readTextIfExists, removeIfExists } from '../../system/files/files.ts';
import { appendToLog } from '../../system/files/log/log-file.ts';
import { writeFileAtomic } from '../../system/files/write-file.ts';
import { machinePaths, type Paths } from '../../system/paths.ts';
import { isSameProcess, sendSignal } from '../../system/process/process.ts';
import type { MachineRef } from '../context.ts';
import { inspectMachineConfig } from '../load-config.ts';
import { crashFolder, keepCrash } from './crash-folder.ts';
import type { Gone, Located } from './locate.ts';
import { forgottenRun } from './record.ts';
import { logTail, RESET_TRACE, resetInLog } from './run-files.ts';

/**
 * Why a QEMU ended. The first ones are QEMU's own words (ShutdownCause of its QMP); `watchdog`: the guest's watchdog
 * expired and its action is to end QEMU; `kill`: we ended it with SIGKILL; `killed`: it crashed or was killed by
 * another program, without a log line; `saved`: the next start goes on from its saved state; `moved`: its
 * guest runs elsewhere; `unknown`: it ended with status 0 and logged no reason.
 */
export type EndCause =
  | 'host-error'
  | 'quit'
  | 'signal'
  | 'window-closed'
  | 'guest-shutdown'
  | 'guest-reset'
  | 'guest-panic'
  | 'watchdog'
  | 'kill'
  | 'killed'
  | 'saved'
  | 'moved'
  | 'unknown';

/** How a machine's last run ended. */
export interface MachineEnd {
  readonly cause: EndCause;
  /** ISO 8601: when it was asked for, else when it was cleaned up after; undefined before that. */
  readonly at: string | undefined;
  /** Signal or exit status of QEMU, if a process waited for it. */
  readonly exit: string | undefined;
  /** ISO 8601: when the machine was last reset before that, without ending; undefined when it was not. */
  readonly lastReset: string | undefined;
  /**
   * Folder with what a run that ended badly printed last on its console and in its log; undefined for other ends, before
   * the machine was cleaned up after, and when the folder is gone.
   */
  readonly crash: string | undefined;
}

/** How the service manager reports the end of a process: systemd.exec(5), EXIT_CODE and EXIT_STATUS. */
export interface ProcessExit {
  readonly kind: 'exited' | 'killed' | 'dumped';
  /** A number, or the name of a signal without SIG. */
  readonly status: string;
}

/** Once this is switched on, QEMU logs a line when it is asked to end. Costs nothing until then. */
const TRACE_EVENT = 'qemu_system_shutdown_request';

/** Has QEMU log why it ends, and when it is reset. A build that cannot is not a failure. */
export async function logEnd(client: QmpClient, signal: AbortSignal | undefined): Promise<void> {
  const enable = async (name: string): Promise<void> => {
    try {
      const args = { name, enable: true, 'ignore-unavailable': true };
      await client.executeRaw('trace-event-set-state', args, { timeoutMs: 5_000, signal });
    } catch (error) {
      if (!(error instanceof QemuError) || error.code !== 'QEMU_QMP_REFUSED') throw error;
    }
  };
  await Promise.all([enable(TRACE_EVENT), enable(RESET_TRACE)]);
}

const KILL_LINE = 'qemu-init: ends QEMU with SIGKILL';

/** For the log before QEMU is ended, whose guest stands still by then. */
export const SAVE_LINE = 'qemu-init: the state of the guest is saved';

/** The same for a guest that runs on another QEMU. */
export const MOVE_LINE = 'qemu-init: the guest has moved';

/**
 * Ends QEMU with SIGKILL. Writes that to QEMU's log first: QEMU cannot, and another command may record its end at
 * once.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED`
 */
export function killQemu({ files }: MachineRef, pid: number, startTime: string): void {
  if (!isSameProcess(pid, startTime)) return;
  appendToLog(files.log, `${new Date().toISOString()} ${KILL_LINE}`);
  sendSignal(pid, startTime, 'SIGKILL');
}

/** ShutdownCause of qapi/run-state.json, by its number in the trace line; 3, 9 and 10 do not end QEMU. */
const CAUSES: Readonly<Record<number, EndCause>> = {
  1: 'host-error',
  2: 'quit',
  4: 'signal',
  5: 'window-closed',
  6: 'guest-shutdown',
  7: 'guest-reset',
  8: 'guest-panic',
};

interface LoggedEnd {
  readonly cause: EndCause;
  /** ISO 8601. */
  readonly at: string;
}

/** The last request to end in QEMU's log that is not of an earlier run. Pure. */
export function endInLog(log: string, startedAt: string): LoggedEnd | undefined {
  const from = Date.parse(startedAt);
  const requests = [...log.matchAll(/^\d+@(\d+\.\d+):qemu_system_shutdown_request reason=(\d+)\s*$/gm)];
  // QEMU logs a terminating signal on a separate line.
  const signals = [...log.matchAll(/^(\d{4}-\d\d-\d\dT[\d:.]+Z) [^:\n]*: terminating on signal \d+/gm)];
  const kills = [...log.matchAll(new RegExp(`^(\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z) ${KILL_LINE}$`, 'gm'))];
  const saves = [...log.matchAll(new RegExp(`^(\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z) ${SAVE_LINE}$`, 'gm'))];
  const moves = [...log.matchAll(new RegExp(`^(\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z) ${MOVE_LINE}$`, 'gm'))];
  const requested = [
    ...requests.map(([, seconds, reason]) => ({ ms: Number(seconds) * 1000, cause: CAUSES[Number(reason)] })),
    ...signals.map(([, time = '']) => ({ ms: Date.parse(time), cause: 'signal' as const })),
    ...kills.map(([, time = '']) => ({ ms: Date.parse(time), cause: 'kill' as const })),
    ...saves.map(([, time = '']) => ({ ms: Date.parse(time), cause: 'saved' as const })),
    ...moves.map(([, time = '']) => ({ ms: Date.parse(time), cause: 'moved' as const })),
  ]
    // A line of a broken QEMU may have any number; past the last one is no date (ECMA-262, "Time Values and Time
    // Range").
    .filter(({ ms }) => ms >= from && ms <= 8.64e15)
    .toSorted((a, b) => a.ms - b.ms)
    .flatMap(({ ms, cause }) => (cause === undefined ? [] : [{ cause, at: new Date(ms).toISOString() }]));
  // Nothing that ends QEMU after that costs the guest anything.
  const saved = requested.find(({ cause }) => cause === 'saved' || cause === 'moved');
  if (saved) return saved;
  const [before, last] = [requested.at(-2), requested.at(-1)];
  return before && last && wasDown(before, last, resetInLog(log, startedAt)) ? before : last;
}

/** With -no-shutdown QEMU outlives its guest, so what ends QEMU then loses no data. */
function wasDown(before: LoggedEnd, last: LoggedEnd, lastReset: string | undefined): boolean {
  if (before.cause !== 'guest-shutdown' || last.cause !== 'quit') return false;
  return lastReset === undefined || lastReset < before.at;
}

/**
 * How a machine that does not run came to its end; undefined when nothing is known of a run. What was noted of it stays
 * until the next run ends.
 *
 * @param exit how QEMU's process ended, when that is known.
 */
export function howEnded(
  paths: Paths,
  target: MachineRef,
  located: Located,
  exit?: ProcessExit,
): MachineEnd | undefined {
  const record = located.record ?? forgottenRun(target.files);
  if (located.kind === 'alive' || record?.phase !== 'running') return readLastRun(paths, target.longName);
  const log = logTail(target.files);
  const asked = endInLog(log, record.startedAt);
  const status = exit && (exit.kind === 'exited' ? `exit status ${exit.status}` : `SIG${exit.status}`);
  return {
    cause: causeOf(paths, target, asked?.cause, located.kind === 'dead' || located.record === undefined, exit),
    at: asked?.at,
    exit: status,
    lastReset: resetInLog(log, record.startedAt),
    crash: undefined,
  };
}

/**
 * Records how a machine's run ended, before the evidence is removed. Under the machine's lock.
 *
 * @param known how its process ended, and what stopped it, as a few words.
 */
export function writeLastRun(
  paths: Paths,
  target: MachineRef,
  gone: Gone,
  { exit, stop }: { readonly exit?: ProcessExit | undefined; readonly stop?: string | undefined } = {},
): MachineEnd | undefined {
  const record = gone.record ?? forgottenRun(target.files);
  if (record?.phase !== 'running') return undefined;
  const seen = howEnded(paths, target, gone, exit);
  const end = seen && { ...seen, at: seen.at ?? new Date().toISOString() };
  try {
    ensureDir(paths.stateDir, 0o755);
    ensureDir(folderOf(paths), 0o700);
    // The text first: the unit's script prints it without starting Node.
    const note = end && { text: [stop, describeEnd(end)].filter(Boolean).join(': '), ...end };
    const crash = note && isBadEnd(note) ? keepCrash(target.files, record, note) : undefined;
    writeFileAtomic(noteOf(paths, target.longName), `${JSON.stringify(note && { ...note, crash })}\n`, 0o600);
    if (end) return { ...end, crash: crashFolder(target.files, crash) };
  } catch (error) {
    // A full disk must not keep a machine from being cleaned up after: all that is lost is a line of `status`.
    if (!(error instanceof QemuError)) throw error;
  }
  return end;
}

/** An end as a sentence without the machine's name. */
export function describeEnd({ cause, exit, lastReset: reset }: MachineEnd): string {
  const detail = exit === undefined || exit === 'exit status 0' ? '' : ` (${exit})`;
  const before = reset === undefined ? '' : `; it had been reset, last ${reset}`;
  return `${SENTENCES[cause]}${detail}${before}`;
}

/** The same in two words or three, for a table. */
export function describeEndShortly({ cause, exit }: MachineEnd): string {
  const detail = cause === 'killed' && exit !== undefined ? ` (${exit})` : '';
  return `${WORDS[cause]}${detail}`;
}

const WORDS: Readonly<Record<EndCause, string>> = {
  'host-error': 'host error',
  quit: 'quit command',
  signal: 'ended by a signal',
  'window-closed': 'window closed',
  'guest-shutdown': 'powered off',
  'guest-reset': 'reset by the guest',
  'guest-panic': 'guest panicked',
  watchdog: 'watchdog expired',
  kill: 'killed by qemu-init',
  killed: 'crashed or killed',
  saved: 'saved',
  moved: 'moved',
  unknown: 'ended by itself',
};

/** Whether that end was unwanted. */
export function isBadEnd({ cause }: MachineEnd): boolean {
  return cause === 'host-error' || cause === 'guest-panic' || cause === 'watchdog' || cause === 'killed';
}

/** Whether that end gave the guest no time to write what it had in memory. */
export function isPulledPlug({ cause }: MachineEnd): boolean {
  return cause === 'kill' || cause === 'quit' || cause === 'signal' || cause === 'window-closed';
}

const SENTENCES: Readonly<Record<EndCause, string>> = {
  'host-error': 'QEMU ended because of a host error',
  quit: 'QEMU was asked to quit before the guest had switched the machine off',
  signal: 'QEMU was ended by a signal, which is like pulling the plug on the guest',
  'window-closed': "QEMU's window was closed, which is like pulling the plug on the guest",
  'guest-shutdown': 'the guest switched the machine off',
  'guest-reset': 'the guest reset the machine, which ends it',
  'guest-panic': 'the guest panicked',
  watchdog: "the guest's watchdog expired",
  kill: 'qemu-init ended QEMU with SIGKILL, which is like pulling the plug on the guest',
  killed: 'QEMU crashed or was killed',
  saved: 'the state of the guest was saved',
  moved: 'the guest has moved to another place',
  unknown: 'QEMU ended by itself',
};

function causeOf(
  paths: Paths,
  target: MachineRef,
  asked: EndCause | undefined,
  pidFileIsLeft: boolean,
  exit: ProcessExit | undefined,
): EndCause {
  if (asked === 'kill' || asked === 'saved' || asked === 'moved') return asked;
  if (exit?.kind === 'killed' || exit?.kind === 'dumped') return 'killed';
  if (asked !== undefined) return asked;
  // QEMU removes its pid file on every orderly way out.
  if (exit === undefined ? pidFileIsLeft : exit.status !== '0') return 'killed';
  // These two alone end QEMU without a request: softmmu/watchdog.c calls exit, and softmmu/runstate.c takes a reset for
  // one.
  const { config } = inspectMachineConfig(target.configPath, paths.defaultsFile);
  if (config?.watchdog === 'poweroff') return 'watchdog';
  return config?.custom.some(({ args }) => endsAtReset(args)) ? 'guest-reset' : 'unknown';
}

/** qemu(1): `-no-reboot`, which is `-action reboot=shutdown`. */
function endsAtReset([option, value = '']: readonly string[]): boolean {
  return option === '-no-reboot' || (option === '-action' && value.split(',').includes('reboot=shutdown'));
}

/** How the last run ended that was cleaned up after; undefined when there was none. */
export function readLastRun(paths: Paths, longName: string): MachineEnd | undefined {
  try {
    const text = readTextIfExists(noteOf(paths, longName));
    if (text === undefined) return undefined;
    const { cause, at, exit, lastReset: reset, crash }: MachineEnd = JSON.parse(text);
    return { cause, at, exit, lastReset: reset, crash: crashFolder(machinePaths(paths, longName), crash) };
  } catch {
    // Only root may read it, and a damaged note is useless.
    return undefined;
  }
}

/** The same for the journal: with what stopped the machine, if a command did. */
export function readLastText(paths: Paths, longName: string): string | undefined {
  try {
    const { text }: { readonly text?: unknown } = JSON.parse(readTextIfExists(noteOf(paths, longName)) ?? '{}');
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}

/** Removes the note of a machine that no longer exists. */
export function forgetEnd(paths: Paths, longName: string): void {
  removeIfExists(noteOf(paths, longName));
}

/** No machine's name starts with a dot. */
function folderOf(paths: Paths): string {
  return join(paths.stateDir, '.ends');
}

function noteOf(paths: Paths, longName: string): string {
  return join(folderOf(paths), `${longName}.json`);
}
