import type { MachineConfig } from '../config/types.ts';
import { QemuError } from '../errors.ts';
import { type ProcessInfo, sendSignal, waitForExit } from '../system/process.ts';
import { shutDownByAgent } from './agent.ts';
import { cleanUp } from './clean-up.ts';
import { exclusively, lockedIfPossible } from './exclusive.ts';
import { runHook } from './hooks.ts';
import type { Host, Target } from './host.ts';
import { planLadder, type Rung, SIGKILL_MS, type Step } from './ladder.ts';
import { locate } from './locate.ts';
import { connectOwn } from './own-monitor.ts';

/** How to stop a machine. */
export interface StopOptions {
  /** Only ask the guest; throw when it does not go. */
  readonly noKill?: boolean | undefined;
  /** Do not ask the guest: begin at `quit`. */
  readonly force?: boolean | undefined;
  /** Instead of STOPDELAY. */
  readonly stopDelayMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What became of a stop. */
export interface StopResult {
  readonly outcome: 'stopped' | 'not-running';
  /** What ended it. */
  readonly rung: Rung;
  readonly seconds: number;
}

/** What stop needs of a configuration; a machine whose file is broken has these. */
export type StopConfig = Pick<MachineConfig, 'stopDelaySeconds' | 'stopMethod' | 'preStop' | 'postStop' | 'dir'>;

/**
 * Stops a machine, asking more rudely each time, and says which step ended it. One that is not running is a success.
 *
 * @throws {QemuError} `QEMU_STOP_FAILED` when it still runs, `QEMU_ABORTED`, `QEMU_LOCKED`, `QEMU_NOT_PERMITTED`.
 */
export async function stopMachine(
  host: Host,
  target: Target,
  config: StopConfig,
  options: StopOptions = {},
): Promise<StopResult> {
  const began = performance.now();
  const result = (rung: Rung): StopResult => ({
    outcome: rung === 'none' ? 'not-running' : 'stopped',
    rung,
    seconds: Math.round(performance.now() - began) / 1000,
  });
  const body = async (): Promise<StopResult> => {
    const located = locate(target.files);
    if (located.kind !== 'alive') {
      await cleanUp(host, target, located.record?.slot);
      return result('none');
    }
    await runStopHook(host, target, config, 'PRESTOP', located.process.pid, options.signal);
    const rung = await climb(host, target, config, located.process, options);
    await cleanUp(host, target, located.record?.slot);
    await runStopHook(host, target, config, 'POSTSTOP', undefined, options.signal);
    return result(rung);
  };
  if (options.force !== true) {
    const lock = { purpose: 'stop', signal: options.signal };
    return lockedIfPossible((locked) => exclusively(host, target, lock, locked), body);
  }
  return forcibly(host, target, options.signal, body, async () => {
    const located = locate(target.files);
    if (located.kind !== 'alive') return result('none');
    return result(await climb(host, target, config, located.process, options));
  });
}

/** Ends QEMU at once with SIGKILL, whoever is busy with the machine. */
export async function killMachine(host: Host, target: Target, signal?: AbortSignal): Promise<StopResult> {
  const began = performance.now();
  const kill = async (): Promise<StopResult> => {
    const located = locate(target.files);
    let rung: Rung = 'none';
    if (located.kind === 'alive') {
      const { pid, startTime } = located.process;
      sendSignal(pid, startTime, 'SIGKILL');
      if (!(await waitForExit(pid, startTime, SIGKILL_MS, signal))) throw stillRunning(target, pid);
      rung = 'sigkill';
    }
    return {
      outcome: rung === 'none' ? 'not-running' : 'stopped',
      rung,
      seconds: Math.round(performance.now() - began) / 1000,
    };
  };
  return forcibly(
    host,
    target,
    signal,
    async () => {
      const result = await kill();
      await cleanUp(host, target, locate(target.files).record?.slot);
      return result;
    },
    kill,
  );
}

/** How long a command that brooks no delay waits for the one that is busy with the machine. */
const IMPATIENT_LOCK_MS = 300;

/** Runs `body` under the lock, or, when another command holds it, `unlocked`: that command then cleans up. */
async function forcibly(
  host: Host,
  target: Target,
  signal: AbortSignal | undefined,
  body: () => Promise<StopResult>,
  unlocked: () => Promise<StopResult>,
): Promise<StopResult> {
  try {
    const lock = { purpose: 'stop', timeoutMs: IMPATIENT_LOCK_MS, signal };
    return await lockedIfPossible((locked) => exclusively(host, target, lock, locked), body);
  } catch (error) {
    if (error instanceof QemuError && error.code === 'QEMU_LOCKED') return unlocked();
    throw error;
  }
}

async function runStopHook(
  host: Host,
  target: Target,
  config: StopConfig,
  hook: 'PRESTOP' | 'POSTSTOP',
  pid: number | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    const command = hook === 'PRESTOP' ? config.preStop : config.postStop;
    await runHook(host, target, hook, command, { cwd: config.dir, pid, signal });
  } catch (error) {
    if (signal?.aborted && hook === 'PRESTOP') throw error;
    // A stop that a broken script could prevent would block the shutdown of the host.
    const message = error instanceof Error ? error.message : String(error);
    host.notify({ level: 'warning', machine: target.longName, message });
  }
}

async function climb(
  host: Host,
  target: Target,
  config: StopConfig,
  process: ProcessInfo,
  options: StopOptions,
): Promise<Rung> {
  const steps = planLadder({
    method: config.stopMethod,
    stopDelayMs: options.stopDelayMs ?? config.stopDelaySeconds * 1000,
    noKill: options.noKill === true,
    force: options.force === true,
  });
  for (const step of steps) {
    const rung = await take(step, host, target, process, options.signal);
    if (rung === 'passed') continue;
    if (rung !== undefined) return rung;
    host.notify({ level: 'info', machine: target.longName, message: `still running after ${describe(step)}` });
  }
  throw stillRunning(target, process.pid);
}

function stillRunning(target: Target, pid: number): QemuError {
  return new QemuError('QEMU_STOP_FAILED', `Machine "${target.longName}" is still running (process ${pid})`, {
    hint: `see: qemu-init status ${target.longName}`,
  });
}

function describe(step: Step): string {
  const seconds = Math.round(step.timeoutMs / 100) / 10;
  const names = { ask: 'the power button', quit: 'quit', sigterm: 'SIGTERM', sigkill: 'SIGKILL' };
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
      await whileAlive(process, signal, (alive) => attempt(host, target, 'quit', step.timeoutMs, alive));
      return (await gone(Math.max(0, deadline - performance.now()))) ? 'quit' : undefined;
    }
    case 'sigterm':
      sendSignal(pid, startTime, 'SIGTERM');
      return (await gone(step.timeoutMs)) ? 'sigterm' : undefined;
    case 'sigkill':
      sendSignal(pid, startTime, 'SIGKILL');
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
        const pressed = await whileAlive(process, signal, (alive) => pressPowerButton(target, timeoutMs, alive));
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
  target: Target,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<'pressed' | 'deaf' | 'silent'> {
  const deadline = performance.now() + timeoutMs;
  const left = (): number => Math.max(1, deadline - performance.now());
  let isSent = false;
  try {
    const client = await connectOwn(target.files, timeoutMs, signal);
    try {
      const { status } = await client.execute('query-status', undefined, { timeoutMs: left(), signal });
      if (DEAF_STATES.has(status)) return 'deaf';
      if (status !== 'running') await client.execute('cont', undefined, { timeoutMs: left(), signal });
      isSent = true;
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

/** Sends a command whose answer does not matter. */
async function attempt(
  host: Host,
  target: Target,
  command: 'quit',
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  try {
    const client = await connectOwn(target.files, timeoutMs, signal);
    try {
      await client.execute(command, undefined, { timeoutMs, signal });
    } finally {
      await client.close();
    }
  } catch (error) {
    const message = `${command}: ${error instanceof Error ? error.message : error}`;
    host.notify({ level: 'debug', machine: target.longName, message });
  }
}
