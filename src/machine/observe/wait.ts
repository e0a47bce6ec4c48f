import { delay } from '../../base/abort.ts';
import { errorCode, QemuError } from '../../base/errors.ts';
import { canConnect } from '../../system/ports.ts';
import { type MachineContext, type MachineRef, notRunning } from '../context.ts';
import { describeState } from '../control/run-state.ts';
import { locate } from '../run/locate.ts';
import { ConsoleSearch } from './console-search.ts';
import { askState, lookAtState } from './status.ts';

/** What can be waited for. */
export type Goal =
  | { readonly kind: 'running' }
  | { readonly kind: 'stopped' }
  /** The guest's agent answers. */
  | { readonly kind: 'agent' }
  /** The guest printed it on its console since this run began. */
  | { readonly kind: 'console'; readonly pattern: RegExp }
  /** Something listens. */
  | { readonly kind: 'port'; readonly host: string; readonly port: number };

/** Reads `running`, `stopped`, `agent`, `console=REGEX`, `port=PORT` or `port=ADDRESS:PORT`; undefined for anything else. */
export function parseGoal(text: string): Goal | undefined {
  if (text === 'running' || text === 'stopped' || text === 'agent') return { kind: text };
  const [, name, value = ''] = /^(console|port)=(.+)$/s.exec(text) ?? [];
  if (name === 'console') return consoleGoal(value);
  const [, host = '127.0.0.1', port] = /^(?:\[?([^\]]+)\]?:)?(\d{1,5})$/.exec(value) ?? [];
  if (name !== 'port' || port === undefined || Number(port) < 1 || Number(port) > 65535) return undefined;
  return { kind: 'port', host, port: Number(port) };
}

function consoleGoal(value: string): Goal | undefined {
  try {
    return { kind: 'console', pattern: new RegExp(value, 'm') };
  } catch {
    return undefined;
  }
}

const PAUSE_MS = 50;
/** An agent comes up after a minute, and QEMU is asked each time. */
const AGENT_PAUSE_MS = 200;
/** One that does not answer may still be busy with its start. */
const AGENT_MS = 3_000;

/** What may be spent on it when the time is up. */
const LAST_LOOK_MS = 300;

/**
 * Waits until the goal is reached.
 *
 * @param deadline on the clock of `performance.now()`.
 * @throws {QemuError} `QEMU_TIMEOUT`, `QEMU_ABORTED`, `QEMU_NOT_RUNNING` when the machine's console or port is waited
 * for and it does not run.
 */
export async function waitForGoal(
  host: MachineContext,
  target: MachineRef,
  goal: Goal,
  deadline: number,
  signal?: AbortSignal,
): Promise<void> {
  if (goal.kind === 'console') return waitForConsole(target, goal.pattern, deadline, signal);
  for (;;) {
    // Read before the check: what a machine did just before it ended still counts.
    const alive = isAlive(target);
    if (await isReached(host, target, goal, deadline, signal)) return;
    if ((goal.kind === 'port' || goal.kind === 'agent') && !alive) throw notRunning(target);
    await pause(target, goal, deadline, signal, goal.kind === 'agent' ? AGENT_PAUSE_MS : 0);
  }
}

async function isReached(
  host: MachineContext,
  target: MachineRef,
  goal: Exclude<Goal, { kind: 'console' }>,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  switch (goal.kind) {
    case 'running':
      return isAlive(target) && (await askState(target.files)) === 'running';
    case 'stopped':
      return !isAlive(target);
    case 'agent':
      return hasAgent(host, target, deadline, signal);
    case 'port':
      return canConnect(goal.host, goal.port);
    default:
      return goal satisfies never;
  }
}

/** Whether the agent answers. That another command uses it shows that it does. */
async function hasAgent(
  host: MachineContext,
  target: MachineRef,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { openAgentOf } = await import('../control/agent.ts');
  const timeoutMs = Math.min(AGENT_MS, Math.max(1, deadline - performance.now()));
  try {
    (await openAgentOf(host, target, { timeoutMs, signal })).close();
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'QEMU_NO_AGENT' && code !== 'QEMU_NOT_RUNNING' && code !== 'QEMU_LOCKED') throw error;
    return code === 'QEMU_LOCKED';
  }
}

/** The pattern comes from people and the text from a guest: together they may take forever. */
async function waitForConsole(
  target: MachineRef,
  pattern: RegExp,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const late = AbortSignal.timeout(Math.max(0, Math.ceil(deadline - performance.now())));
  const search = new ConsoleSearch(target, pattern);
  try {
    for (;;) {
      const alive = isAlive(target);
      if (await search.isFound(signal ? AbortSignal.any([signal, late]) : late)) return;
      if (!alive) throw notRunning(target);
      await pause(target, { kind: 'console', pattern }, deadline, signal, search.tookMs);
    }
  } catch (error) {
    if (!late.aborted || signal?.aborted || errorCode(error) !== 'QEMU_ABORTED') throw error;
    throw timeoutError(target, { kind: 'console', pattern }, SLOW_PATTERN);
  } finally {
    await search.close();
  }
}

const SLOW_PATTERN = 'the expression takes too long on the output of the guest';

/** Waits for a while. Throws when the time is up. */
async function pause(
  target: MachineRef,
  goal: Goal,
  deadline: number,
  signal: AbortSignal | undefined,
  atLeastMs = 0,
): Promise<void> {
  const left = deadline - performance.now();
  if (left > 0) return delay(Math.min(Math.max(PAUSE_MS, atLeastMs), left), signal);
  const state = isAlive(target) ? (await lookAtState(target.files, LAST_LOOK_MS)).state : undefined;
  throw timeoutError(target, goal, state === undefined ? undefined : `it is ${describeState(state)}`);
}

function timeoutError({ longName }: MachineRef, goal: Goal, why: string | undefined): QemuError {
  const message = `Machine "${longName}" did not reach "${describe(goal)}" in time`;
  return new QemuError('QEMU_TIMEOUT', message, { cause: why === undefined ? undefined : new Error(why) });
}

function isAlive({ files }: MachineRef): boolean {
  return locate(files).kind === 'alive';
}

function describe(goal: Goal): string {
  if (goal.kind === 'console') return `console=${goal.pattern.source}`;
  return goal.kind === 'port' ? `port=${goal.host}:${goal.port}` : goal.kind;
}
