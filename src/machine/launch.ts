import { basename } from 'node:path';
import { LaunchError, QemuError } from '../errors.ts';
import { QmpClient } from '../qmp/client.ts';
import { type DetachedProcess, type ProcessEnd, spawnDetached } from '../system/launch-process.ts';
import { readTail, sizeOf } from '../system/log-file.ts';
import { sendSignal, waitForExit } from '../system/process.ts';

export interface LaunchRequest {
  /** Program and arguments. */
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Gets QEMU's own output. */
  readonly logPath: string;
  readonly qmpSocket: string;
  /** How long QEMU may take to answer its first command. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Called as soon as there is a process, before it has answered. */
  readonly onSpawn: (process: DetachedProcess) => void;
}

/** QEMU that has answered its first command, and the connection that it did so on. */
export interface Launched {
  readonly pid: number;
  readonly startTime: string;
  readonly client: QmpClient;
}

const LOG_TAIL_BYTES = 16 * 1024;

/**
 * Starts QEMU and waits until it answers a command. A greeting is not enough: QEMU greets before it has made its devices,
 * and may end milliseconds later. When anything goes wrong QEMU is gone when this throws.
 *
 * @throws {LaunchError} with what QEMU printed, when it ends or does not answer in time.
 * @throws {QemuError} `QEMU_ABORTED`, `QEMU_NOT_INSTALLED`.
 */
export async function launch(request: LaunchRequest): Promise<Launched> {
  const logStart = sizeOf(request.logPath);
  const qemu = await spawnDetached(request.argv, {
    logPath: request.logPath,
    cwd: request.cwd,
    env: request.env,
    // Sockets and the pid file are for this user alone.
    umask: 0o077,
  });
  try {
    request.onSpawn(qemu);
  } catch (error) {
    await killNow(qemu);
    throw error;
  }
  const ended = new AbortController();
  let end: ProcessEnd | undefined;
  const watch = qemu.exited.then((how) => {
    end = how;
    ended.abort();
  });
  watch.catch(() => {});
  const signal = request.signal ? AbortSignal.any([request.signal, ended.signal]) : ended.signal;
  let client: QmpClient | undefined;
  try {
    client = await QmpClient.connect(
      { kind: 'unix', path: request.qmpSocket },
      { retry: true, timeoutMs: request.timeoutMs, signal },
    );
    await client.execute('query-status', undefined, { timeoutMs: request.timeoutMs, signal });
    return { pid: qemu.pid, startTime: qemu.startTime, client };
  } catch (error) {
    await client?.close();
    if (request.signal?.aborted) {
      await killNow(qemu);
      throw new QemuError('QEMU_ABORTED', 'Starting was interrupted', { cause: error });
    }
    // QEMU hangs up a moment before it is gone: what matters is how it ended, not that the connection did.
    end ??= await endWithin(qemu, 2_000);
    await killNow(qemu);
    throw launchError(request, end, readTail(request.logPath, logStart, LOG_TAIL_BYTES), error);
  }
}

async function endWithin(qemu: DetachedProcess, timeoutMs: number): Promise<ProcessEnd | undefined> {
  if (!(await waitForExit(qemu.pid, qemu.startTime, timeoutMs))) return undefined;
  // Waiting for `exited` does not keep this process alive, which would end here, with nothing said.
  const alive = setInterval(() => {}, timeoutMs);
  try {
    return await qemu.exited;
  } finally {
    clearInterval(alive);
  }
}

async function killNow(qemu: DetachedProcess): Promise<void> {
  if (sendSignal(qemu.pid, qemu.startTime, 'SIGKILL')) await waitForExit(qemu.pid, qemu.startTime, 10_000);
}

function launchError(request: LaunchRequest, end: ProcessEnd | undefined, output: string, cause: unknown): LaunchError {
  const program = basename(request.argv[0] ?? 'QEMU');
  const how =
    end === undefined
      ? `did not answer within ${Math.round(request.timeoutMs / 1000)} seconds`
      : end.signal === undefined
        ? `ended with exit status ${end.exitCode}`
        : `was ended by ${end.signal}`;
  const said = cleanOutput(output, program);
  const detail = { argv: request.argv, exitCode: end?.exitCode, signal: end?.signal, output: said };
  return new LaunchError(`${program} ${how}${said ? `: ${said}` : ''}`, detail, {
    cause: end === undefined ? cause : undefined,
    hint: `the whole output is in "${request.logPath}"`,
  });
}

/** QEMU's lines without the time stamps and the program's name, which the message already has. */
export function cleanOutput(output: string, program: string): string {
  return output
    .split('\n')
    .map((line) =>
      line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z /, '').replace(new RegExp(`^(\\S*/)?${escapeRegExp(program)}: `), ''),
    )
    .join('\n')
    .trim();
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
