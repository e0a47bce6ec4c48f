import { MachineStateError } from '../errors.ts';
import { type ProcessInfo, sendSignal, waitForExit } from '../system/process.ts';
import { type Answer, askGuest } from './ask-guest.ts';
import { killQemu } from './end.ts';
import type { Host, Target } from './host.ts';
import { planEnd, type Rung, type Step } from './ladder.ts';
import { readRecord } from './record.ts';
import { describeState } from './run-state.ts';
import { askState } from './status.ts';
import { NO_PORTS, openAny } from './ways.ts';
import { whileAlive } from './while-alive.ts';

/**
 * Climbs the ladder until the machine is gone.
 *
 * @returns the rung that ended it.
 * @throws {MachineStateError} `QEMU_STOP_FAILED` when it is still there after the last step.
 * @throws {QemuError} `QEMU_ABORTED`, `QEMU_NOT_PERMITTED`.
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
    if (step.kind === 'ask') {
      const answer = await askGuest(host, target, process, step, signal);
      if (answer.kind === 'ended') return answer.rung;
      // The guest has done what it was asked for: QEMU stays because it was told to (-no-shutdown).
      if (answer.kind === 'off') return endAfter(answer.rung, host, target, process, signal);
      // What was never asked for is no fault of the guest.
      const level = answer.kind === 'late' && !answer.wasAsked ? 'warning' : 'info';
      if (answer.kind === 'late') host.notify({ level, machine: target.longName, message: lateText(step, answer) });
      continue;
    }
    const rung = await take(step, host, target, process, signal);
    if (rung !== undefined) return rung;
    host.notify({ level: 'info', machine: target.longName, message: `still running after ${describe(step)}` });
  }
  throw await stillThere(target, process.pid);
}

function lateText(step: Step, { wasAsked, problem, state }: Extract<Answer, { kind: 'late' }>): string {
  if (!wasAsked) return `${CANNOT[isByAgent(step) ? 'agent' : 'button']}: ${problem ?? 'QEMU gave no answer in time'}`;
  const oddState = state === undefined || state === 'running' ? '' : `: it is ${describeState(state)}`;
  return `still running after ${describe(step)}${oddState}`;
}

/** Ends the QEMU of a guest that is down. What ended the machine is what brought the guest down. */
async function endAfter(
  rung: Rung,
  host: Host,
  target: Target,
  process: ProcessInfo,
  signal: AbortSignal | undefined,
): Promise<Rung> {
  for (const step of planEnd()) {
    if ((await take(step, host, target, process, signal)) !== undefined) return rung;
  }
  throw await stillThere(target, process.pid);
}

/** The error of a machine that nothing has ended, with the state that it is in. */
export async function stillThere(target: Target, pid: number): Promise<MachineStateError> {
  const state = await askState(target.files);
  const message = `Machine "${target.longName}" did not go down (process ${pid}): it is ${describeState(state)}`;
  return new MachineStateError('QEMU_STOP_FAILED', message, state, {
    hint: `see: qemu-init status ${target.longName}`,
  });
}

function describe(step: Step): string {
  const seconds = Math.round(step.timeoutMs / 100) / 10;
  const names = {
    ask: isByAgent(step) ? 'the guest agent' : 'the power button',
    quit: 'quit',
    sigterm: 'SIGTERM',
    sigkill: 'SIGKILL',
  };
  return `${names[step.kind]} (${seconds} s)`;
}

const CANNOT = {
  agent: 'the guest agent could not be asked',
  button: 'the power button could not be pressed',
} as const;

function isByAgent(step: Step): boolean {
  return step.kind === 'ask' && !step.powerButton;
}

/** Takes one step past the asking. Returns the rung that ended the machine, undefined when it still runs. */
async function take(
  step: Exclude<Step, { kind: 'ask' }>,
  host: Host,
  target: Target,
  process: ProcessInfo,
  signal: AbortSignal | undefined,
): Promise<Rung | undefined> {
  const { pid, startTime } = process;
  const gone = (timeoutMs: number): Promise<boolean> => waitForExit(pid, startTime, timeoutMs, signal);
  switch (step.kind) {
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
      killQemu(target, pid, startTime);
      return (await gone(step.timeoutMs)) ? 'sigkill' : undefined;
    default:
      return step satisfies never;
  }
}

async function quit(host: Host, target: Target, timeoutMs: number, signal: AbortSignal): Promise<void> {
  try {
    const opened = await openAny(target.files, readRecord(target.files) ?? NO_PORTS, { timeoutMs, signal });
    try {
      host.notify({ level: 'trace', machine: target.longName, message: 'QMP quit' });
      await opened.value.executeRaw('quit', undefined, { timeoutMs, signal });
    } finally {
      await opened.value.close();
    }
  } catch (error) {
    // The signal comes when QEMU is gone.
    const level = signal.aborted ? 'debug' : 'warning';
    const message = `quit was not answered: ${error instanceof Error ? error.message : error}`;
    host.notify({ level, machine: target.longName, message });
  }
}
