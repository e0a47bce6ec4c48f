import { abortError, checkTimeout, delay } from '../../base/abort.ts';
import { errorCode, QemuError } from '../../base/errors.ts';
import { optionalNumber } from '../../base/guards.ts';
import { AnswerReader } from './agent-answers.ts';
import type { AgentCommandOptions, AgentDialogue } from './agent-dialogue.ts';

/** How to run a program in a guest. */
export interface GuestExecOptions {
  /** What it reads from its standard input; default: nothing. */
  readonly input?: string | Uint8Array | undefined;
  /** Its whole environment, as `NAME=VALUE`; default: the agent's own. */
  readonly env?: readonly string[] | undefined;
  /** Milliseconds until it has ended; default: 60 s; `Infinity` for no limit. The program is not ended by it. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How a program in a guest has ended. One of `exitCode` and `signal` is there. */
export interface GuestExecResult {
  readonly exitCode: number | undefined;
  /** Number of the signal, or of Windows' exception, that ended it. */
  readonly signal: number | undefined;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Whether the agent has cut the output, which it does at 16 MiB. */
  readonly stdoutTruncated: boolean;
  readonly stderrTruncated: boolean;
}

const DEFAULT_TIMEOUT_MS = 60_000;
/** How it shows that no time is left for an answer. */
const LATE: readonly (string | undefined)[] = ['QEMU_TIMEOUT', 'QEMU_NO_AGENT', 'QEMU_LOCKED'];
/** How it shows that a command was sent and nothing came. */
const UNANSWERED: readonly string[] = ['QEMU_TIMEOUT', 'QEMU_NO_AGENT'];
/** Pauses between two looks; most programs are short. */
const FIRST_LOOK_MS = 20;
const LAST_LOOK_MS = 500;
/** The answer with all of the output takes its time: 15 s for 16 MiB were seen. */
const ANSWER_MS = 60_000;
/** A shorter limit of the program is one of its start, too. */
const START_MS = 3_000;

/** See {@link AgentClient.exec}. */
export async function execInGuest(
  session: AgentDialogue,
  program: string,
  args: readonly string[],
  options: GuestExecOptions,
): Promise<GuestExecResult> {
  const { input, env, timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
  const deadline = performance.now() + checkTimeout(timeoutMs);
  const limit = (): AgentCommandOptions => ({ timeoutMs: leastOf(ANSWER_MS, deadline), signal });
  const request = {
    path: program,
    arg: [...args],
    env: env && [...env],
    'input-data': input === undefined ? undefined : Buffer.from(input).toString('base64'),
    'capture-output': true,
  };
  const reader = new AnswerReader('guest-exec');
  // A program is started at once, unless its input has to come first.
  const starting = input === undefined && timeoutMs > START_MS ? { signal } : limit();
  const answer = reader.record(
    await session.execute('guest-exec', request, starting).catch((error: unknown) => {
      throw mayRun(error);
    }),
  );
  const pid = reader.count(answer['pid'], 'pid');
  for (let lookMs = FIRST_LOOK_MS; ; lookMs = Math.min(2 * lookMs, LAST_LOOK_MS)) {
    const result = await session.execute('guest-exec-status', { pid }, limit()).then(readResult, (error: unknown) => {
      // What ran out while the agent was asked is the time of the program.
      if (!LATE.includes(errorCode(error)) || performance.now() < deadline) throw error;
    });
    if (result) return result;
    if (performance.now() >= deadline) throw lateError(program, pid, timeoutMs);
    if (signal?.aborted) throw abortError(signal);
    session.rest?.();
    await delay(leastOf(lookMs, deadline), signal);
  }
}

/** Undefined while it runs. */
function readResult(value: unknown): GuestExecResult | undefined {
  const reader = new AnswerReader('guest-exec-status');
  const status = reader.record(value);
  if (status['exited'] !== true) return undefined;
  return {
    exitCode: optionalNumber(status['exitcode']),
    signal: optionalNumber(status['signal']),
    stdout: reader.bytes(status['out-data'] ?? '', 'out-data'),
    stderr: reader.bytes(status['err-data'] ?? '', 'err-data'),
    stdoutTruncated: status['out-truncated'] === true,
    stderrTruncated: status['err-truncated'] === true,
  };
}

/** A guest that is only slow starts the program all the same. */
function mayRun(error: unknown): unknown {
  if (!(error instanceof QemuError) || !UNANSWERED.includes(error.code)) return error;
  return new QemuError(error.code, error.message, {
    cause: error,
    hint: 'the program may run in the guest all the same',
  });
}

function leastOf(ms: number, deadline: number): number {
  return Math.max(1, Math.min(ms, deadline - performance.now()));
}

function lateError(program: string, pid: number, timeoutMs: number): QemuError {
  const message = `Program "${program}" did not end in the guest within ${Math.round(timeoutMs)} ms`;
  return new QemuError('QEMU_TIMEOUT', message, { hint: `it goes on as process ${pid} of the guest` });
}
