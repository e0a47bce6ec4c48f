import { QemuError } from '../errors.ts';
import { type ProcessInfo, sendSignal, waitForExit } from '../system/process.ts';
import { shutDownByAgent } from './agent.ts';
import { logKill } from './end.ts';
import type { Host, Target } from './host.ts';
import type { Rung, Step } from './ladder.ts';
import { connectOwn } from './own-monitor.ts';

/**
 * Climbs the ladder until the machine is gone.
 *
 * @returns the rung that ended it.
 * @throws {QemuError} `QEMU_STOP_FAILED` when it still runs behind the last step, `QEMU_ABORTED`, `QEMU_NOT_PERMITTED`.
 */
export async function climb(
  host: Host,
  target: Target,
  process: ProcessInfo,
  steps: readonly Step[],
  signal: AbortSignal | undefined,
): Promise<Rung> {
  for (const step of steps) {
    host.notify({ level: 'debug', machine: target.longName, message: `${describe(step)} for process ${process.pid}` });
    const rung = await take(step, host, target, process, signal);
    if (rung === 'passed') continue;
    if (rung !== undefined) return rung;
    host.notify({ level: 'info', machine: target.longName, message: `still running after ${describe(step)}` });
  }
  throw stillRunning(target, process.pid);
}

/** The error of a machine that nothing has ended. */
export function stillRunning(target: Target, pid: number): QemuError {
  return new QemuError('QEMU_STOP_FAILED', `Machine "${target.longName}" is still running (process ${pid})`, {
    hint: `see: qemu-init status ${target.longName}`,
  });
}

function describe(step: Step): string {
  const seconds = Math.round(step.timeoutMs / 100) / 10;
  const isAgentOnly = step.kind === 'ask' && !step.powerButton;
  const names = {
    ask: isAgentOnly ? 'the guest agent' : 'the power button',
    quit: 'quit',
    sigterm: 'SIGTERM',
    sigkill: 'SIGKILL',
  };
  return `${names[step.kind]} (${seconds} s)`;
}

/**
 * Takes one step. Returns the rung that ended the machine, undefined when it still runs, `passed` when the step could not
 * have helped and no time was spent on it.
 */
async function take(
  step: Step,
  host: Host,
  target: Target,
  process: ProcessInfo,
  signal: AbortSignal | undefined,
): Promise<Rung | 'passed' | undefined> {
  const { pid, startTime } = process;
  const gone = (timeoutMs: number): Promise<boolean> => waitForExit(pid, startTime, timeoutMs, signal);
  switch (step.kind) {
    case 'ask':
      return ask(step, host, target, process, signal);
    case 'quit': {
      const deadline = performance.now() + step.timeoutMs;
      // QEMU may end before its answer is out: what counts is whether it is gone.
      await whileAlive(process, signal, (alive) => quit(host, target, step.timeoutMs, alive));
      return (await gone(Math.max(0, deadline - performance.now()))) ? 'quit' : undefined;
    }
    case 'sigterm':
      sendSignal(pid, startTime, 'SIGTERM');
      return (await gone(step.timeoutMs)) ? 'sigterm' : undefined;
    case 'sigkill':
      if (sendSignal(pid, startTime, 'SIGKILL')) logKill(target);
      return (await gone(step.timeoutMs)) ? 'sigkill' : undefined;
    default:
      return step satisfies never;
  }
}

/** States in which no guest is there to react: asking would only lose time. */
const DEAF_STATES = new Set(['prelaunch', 'shutdown', 'guest-panicked', 'internal-error', 'postmigrate', 'inmigrate']);

/** Asks the guest to go down, and again, until it is gone or its time is up. */
async function ask(
  step: Extract<Step, { kind: 'ask' }>,
  host: Host,
  target: Target,
  process: ProcessInfo,
  signal: AbortSignal | undefined,
): Promise<Rung | 'passed' | undefined> {
  const { pid, startTime } = process;
  const deadline = performance.now() + step.timeoutMs;
  const left = (): number => Math.max(0, deadline - performance.now());
  const over = new AbortController();
  // Beside the button, never before it: a guest without an agent keeps us waiting.
  const byAgent = step.agent ? shutDownByAgent(target.files, over.signal) : Promise.resolve(false);
  let wasPressed = false;
  try {
    do {
      if (step.powerButton) {
        const timeoutMs = Math.min(ANSWER_MS, Math.max(left(), 1));
        const pressed = await whileAlive(process, signal, (alive) => pressPowerButton(host, target, timeoutMs, alive));
        if (pressed === 'deaf') return 'passed';
        if (pressed === 'pressed') wasPressed = true;
        else host.notify({ level: 'debug', machine: target.longName, message: 'the power button got no answer' });
      }
      if (await waitForExit(pid, startTime, Math.min(step.repeatMs, left()), signal)) {
        if (await byAgent) return 'agent';
        // Never reached by us: somebody else ended it.
        return wasPressed ? 'powerdown' : 'none';
      }
    } while (left() > 0);
    return undefined;
  } finally {
    over.abort();
  }
}

/** Does something with a living machine. The signal that it gets also says that the machine is gone. */
async function whileAlive<T>(
  { pid, startTime }: ProcessInfo,
  signal: AbortSignal | undefined,
  body: (alive: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const watch = waitForExit(pid, startTime, Number.POSITIVE_INFINITY, over.signal).then(
    () => over.abort(),
    () => {},
  );
  try {
    return await body(signal ? AbortSignal.any([signal, over.signal]) : over.signal);
  } finally {
    over.abort();
    await watch;
  }
}

/** QEMU answers in a millisecond; one that is busy with a slow disk may take seconds. */
const ANSWER_MS = 5_000;

/** Presses the button. A paused guest could not react and is let run for it. */
async function pressPowerButton(
  host: Host,
  target: Target,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<'pressed' | 'deaf' | 'silent'> {
  const deadline = performance.now() + timeoutMs;
  const left = (): number => Math.max(1, deadline - performance.now());
  const trace = (message: string): void => host.notify({ level: 'trace', machine: target.longName, message });
  let isSent = false;
  try {
    const client = await connectOwn(target.files, timeoutMs, signal);
    try {
      const { status } = await client.execute('query-status', undefined, { timeoutMs: left(), signal });
      trace(`QMP query-status: ${status}`);
      if (DEAF_STATES.has(status)) return 'deaf';
      if (status !== 'running') await client.execute('cont', undefined, { timeoutMs: left(), signal });
      isSent = true;
      trace('QMP system_powerdown');
      await client.execute('system_powerdown', undefined, { timeoutMs: left(), signal });
      return 'pressed';
    } finally {
      await client.close();
    }
  } catch {
    // A guest may be faster to go down than QEMU's answer is to come.
    return isSent ? 'pressed' : 'silent';
  }
}

async function quit(host: Host, target: Target, timeoutMs: number, signal: AbortSignal): Promise<void> {
  try {
    const client = await connectOwn(target.files, timeoutMs, signal);
    try {
      host.notify({ level: 'trace', machine: target.longName, message: 'QMP quit' });
      await client.execute('quit', undefined, { timeoutMs, signal });
    } finally {
      await client.close();
    }
  } catch (error) {
    const message = `quit: ${error instanceof Error ? error.message : error}`;
    host.notify({ level: 'debug', machine: target.longName, message });
  }
}
