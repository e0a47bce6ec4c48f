import { MachineStateError } from '../../base/errors.ts';
import { type ProcessInfo, sendSignal, waitForExit } from '../../system/process/process.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { describeState } from '../control/run-state.ts';
import { NO_PORTS, openAny } from '../control/ways.ts';
import { whyFull } from '../observe/disk-room.ts';
import { askState, lookAtState } from '../observe/status.ts';
import { thawLeftover } from '../quiesce/thaw.ts';
import { killQemu } from '../run/last-run.ts';
import { readRecord } from '../run/record.ts';
import { whileAlive } from '../run/while-alive.ts';
import { type Answer, askGuest } from './ask-guest.ts';
import { type OnStopStep, planEnd, type Rung, type Step, stopStep } from './stop-plan.ts';

/**
 * Runs the steps of a stop until the machine is gone.
 *
 * @returns the rung that ended it.
 * @throws {MachineStateError} `QEMU_STOP_FAILED` when it is still there after the last step.
 * @throws {QemuError} `QEMU_ABORTED`, `QEMU_NOT_PERMITTED`.
 */
export async function runStopSteps(
  host: MachineContext,
  target: MachineRef,
  process: ProcessInfo,
  steps: readonly Step[],
  signal: AbortSignal | undefined,
  onStep: OnStopStep = () => {},
): Promise<Rung> {
  let asked: Rung = 'none';
  const begin = (step: Step): void => onStep(stopStep(steps, step));
  // A guest that cannot write cannot go down either.
  if (steps.some(({ kind }) => kind === 'ask')) await thawLeftover(host, target, undefined, true);
  const isStuck = await tellFull(host, target, steps);
  for (const step of steps) {
    if (step.kind === 'ask' && isStuck) continue;
    host.notify({ level: 'debug', machine: target.longName, message: `${describe(step)} for process ${process.pid}` });
    begin(step);
    if (step.kind === 'ask') {
      const answer = await askGuest(host, target, process, step, signal);
      if (answer.kind === 'ended') return answer.rung;
      // The guest has done what it was asked for: QEMU stays because it was told to (-no-shutdown).
      if (answer.kind === 'off') return endAfter(answer.rung, host, target, process, begin, signal);
      if (answer.kind === 'late' && answer.wasAsked) asked = step.powerButton ? 'powerdown' : 'agent';
      // What was never asked for is no fault of the guest.
      const level = answer.kind === 'late' && !answer.wasAsked ? 'warning' : 'info';
      if (answer.kind === 'late') host.notify({ level, machine: target.longName, message: lateText(step, answer) });
      continue;
    }
    const rung = await take(step, host, target, process, signal);
    // Gone before this step was taken: late by what it was asked for, or by another process.
    if (rung !== undefined) return rung === 'none' ? asked : rung;
  }
  throw await stillThere(target, process.pid);
}

/**
 * Whether the guest is not to be asked at all: it waits for room on the host that is not there, and could not shut down,
 * however long it is asked. A stop that does nothing else asks all the same, for there may be room soon.
 */
async function tellFull(host: MachineContext, target: MachineRef, steps: readonly Step[]): Promise<boolean> {
  if (!steps.some(({ kind }) => kind === 'ask')) return false;
  const { state, failed } = await lookAtState(target.files);
  if (state !== 'io-error') return false;
  const full = failed.flatMap(({ drive, reason }) =>
    reason === 'nospace' ? (whyFull(host, target, drive) ?? []) : [],
  );
  if (full.length === 0) return false;
  const isEnded = steps.length > 1;
  const then = isEnded
    ? 'it is ended by quit, as if its plug were pulled; what it could not write is lost'
    : 'it is asked until its time is up, and goes down if there is room before';
  const message = `its guest cannot shut down, because ${full.join(', ')}: ${then}`;
  host.notify({ level: 'warning', machine: target.longName, message });
  return isEnded;
}

function lateText(step: Step, { wasAsked, problem, state }: Extract<Answer, { kind: 'late' }>): string {
  if (!wasAsked) return `${CANNOT[isByAgent(step) ? 'agent' : 'button']}: ${problem ?? 'QEMU did not answer in time'}`;
  const oddState = state === undefined || state === 'running' ? '' : `: it is ${describeState(state)}`;
  return `still running after ${describe(step)}${oddState}`;
}

/** Ends the QEMU of a guest that is down. What ended the machine is what brought the guest down. */
async function endAfter(
  rung: Rung,
  host: MachineContext,
  target: MachineRef,
  process: ProcessInfo,
  begin: (step: Step) => void,
  signal: AbortSignal | undefined,
): Promise<Rung> {
  for (const step of planEnd()) {
    begin(step);
    if ((await take(step, host, target, process, signal)) !== undefined) return rung;
  }
  throw await stillThere(target, process.pid);
}

/** The error of a machine that nothing has ended, with the state that it is in. */
export async function stillThere(target: MachineRef, pid: number): Promise<MachineStateError> {
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

/**
 * Takes one step past the asking. Returns the rung that ended the machine, undefined when it still runs, which is
 * reported.
 */
async function take(
  step: Exclude<Step, { kind: 'ask' }>,
  host: MachineContext,
  target: MachineRef,
  process: ProcessInfo,
  signal: AbortSignal | undefined,
): Promise<Rung | undefined> {
  const { pid, startTime } = process;
  const deadline = performance.now() + step.timeoutMs;
  let problem: string | undefined;
  if (step.kind === 'quit') {
    problem = await whileAlive(process, signal, (alive) => quit(host, target, step.timeoutMs, alive));
  } else if (step.kind === 'sigterm') {
    sendSignal(pid, startTime, 'SIGTERM');
  } else {
    killQemu(target, pid, startTime);
  }
  // QEMU may end before its answer is out: what counts is whether it is gone.
  const isGone = await waitForExit(pid, startTime, Math.max(0, deadline - performance.now()), signal);
  // Never reached by us: another process ended it.
  if (isGone) return problem === undefined ? step.kind : 'none';
  const level = problem === undefined ? 'info' : 'warning';
  const message = problem ?? `still running after ${describe(step)}`;
  host.notify({ level, machine: target.longName, message });
  return undefined;
}

/** Returns why `quit` could not be sent; undefined when it was. */
async function quit(
  host: MachineContext,
  target: MachineRef,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  let isSent = false;
  try {
    const opened = await openAny(target.files, readRecord(target.files) ?? NO_PORTS, { timeoutMs, signal });
    try {
      host.notify({ level: 'trace', machine: target.longName, message: 'QMP quit' });
      isSent = true;
      await opened.value.executeRaw('quit', undefined, { timeoutMs, signal });
    } finally {
      await opened.value.close();
    }
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    host.notify({ level: 'debug', machine: target.longName, message: `quit: ${message}` });
    return isSent ? undefined : `quit could not be sent: ${message}`;
  }
}
