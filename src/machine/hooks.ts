import { QemuError } from '../base/errors.ts';
import { type ExecOptions, type ExecResult, findProgram, run } from '../system/process/exec.ts';
import { scriptProblem } from '../system/trust/script.ts';
import { trustCommand } from '../system/trust/trusted-command.ts';
import type { MachineContext, MachineRef } from './context.ts';

export type HookName = 'PRECMD' | 'POSTCMD' | 'PRESTOP' | 'POSTSTOP';

/** Longest time that a hook may take. */
export const HOOK_TIMEOUT_MS = 300_000;

/** Surroundings and limits of a hook. */
export interface HookDetail {
  readonly cwd: string;
  readonly pid?: number | undefined;
  /** Value of QEMU_INIT_REASON: why POSTSTOP runs. */
  readonly reason?: 'stopped' | 'saved' | 'moved' | 'ended' | 'start-failed' | undefined;
  /** Default: {@link HOOK_TIMEOUT_MS}. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs one of the machine's own commands without a shell, in the folder of its file. Its environment is that of {@link
 * childEnvironment} with QEMU_INIT_HOOK, QEMU_INIT_MACHINE, QEMU_INIT_CONFIG, and QEMU_INIT_PID when QEMU runs.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` when it does not exit with 0, `QEMU_NOT_INSTALLED` when there is no such
 * program, `QEMU_NOT_PERMITTED` when others may change it, `QEMU_TIMEOUT` after five minutes.
 */
export async function runHook(
  host: MachineContext,
  target: MachineRef,
  hook: HookName,
  command: readonly string[],
  detail: HookDetail,
): Promise<void> {
  const [program, ...args] = command;
  if (program === undefined) return;
  host.notify({ level: 'debug', machine: target.longName, message: `${hook}: ${command.join(' ')}` });
  const result = await runProgram(hook, program, args, {
    timeoutMs: detail.timeoutMs ?? HOOK_TIMEOUT_MS,
    cwd: detail.cwd,
    env: {
      QEMU_INIT_HOOK: hook,
      QEMU_INIT_MACHINE: target.longName,
      QEMU_INIT_CONFIG: target.configPath,
      ...(detail.pid === undefined ? {} : { QEMU_INIT_PID: String(detail.pid) }),
      ...(detail.reason === undefined ? {} : { QEMU_INIT_REASON: detail.reason }),
    },
    ...(detail.signal ? { signal: detail.signal } : {}),
  });
  if (result.exitCode === 0) return;
  const how = result.signal === undefined ? `exit status ${result.exitCode}` : `signal ${result.signal}`;
  const said = lastPart(`${result.stderr}${result.stdout}`.trim());
  const broken = result.exitCode === NOT_FOUND ? scriptProblem(findProgram(program) ?? '') : undefined;
  throw new QemuError(
    'QEMU_COMMAND_FAILED',
    `${hook} "${program}" ended with ${how}${said ? `: ${said}` : ''}${broken ? `; it ${broken.problem}` : ''}`,
    { hint: broken?.hint },
  );
}

/** Exit status of env(1) and of shells for a program that does not exist. */
const NOT_FOUND = 127;

async function runProgram(
  hook: HookName,
  program: string,
  args: readonly string[],
  options: ExecOptions,
): Promise<ExecResult> {
  try {
    trustCommand(findProgram(program) ?? program, args, options.cwd ?? '/');
    return await run(program, args, options);
  } catch (error) {
    if (!(error instanceof QemuError) || error.code === 'QEMU_ABORTED') throw error;
    const { code, message, hint } = error;
    throw new QemuError(code, `${hook} failed: ${message}`, { hint });
  }
}

/** Length of a program's output in a message; the rest is cut off. */
const MOST_SAID_CHARACTERS = 4096;

function lastPart(text: string): string {
  return text.length <= MOST_SAID_CHARACTERS ? text : `… ${text.slice(-MOST_SAID_CHARACTERS)}`;
}
