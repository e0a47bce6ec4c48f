import { QemuError } from '../../base/errors.ts';
import { type ProcessInfo, waitForExit } from '../../system/process/process.ts';
import type { MachineContext, MachineRef, Notice } from '../context.ts';
import { tellWay } from '../control/control-port.ts';
import { describeState, stateRule } from '../control/run-state.ts';
import { NO_PORTS, openAny } from '../control/ways.ts';
import { isOwner } from '../move/move-record.ts';
import { readRecord } from '../run/record.ts';
import { whileAlive } from '../run/while-alive.ts';
import { AgentRequest } from './agent-request.ts';
import { type Visit, visitGuest } from './power-button.ts';
import { PRESS_SOON_MS, type Rung, type Step } from './stop-plan.ts';

type Ask = Extract<Step, { kind: 'ask' }>;

/** What came of asking a guest to go down. */
export type Answer =
  /** QEMU is gone. */
  | { readonly kind: 'ended'; readonly rung: Rung }
  /** The guest is down, and QEMU has stayed. */
  | { readonly kind: 'off'; readonly rung: Rung }
  /** There is no guest that could go down: no time was spent on it. */
  | { readonly kind: 'deaf' }
  /** Its time is up. */
  | {
      readonly kind: 'late';
      readonly wasAsked: boolean;
      /** Why it could not be asked the last time; undefined when it could. */
      readonly problem: string | undefined;
      readonly state: string | undefined;
    };

/** QEMU answers in a millisecond; one that is busy with a slow disk may take seconds. */
const ANSWER_MS = 5_000;
/** Also a guest that has no time is asked. */
const LEAST_ANSWER_MS = 500;
/** Pauses between looks at what has become of the guest. Most are gone before the first one. */
const FIRST_LOOK_MS = 500;
const LOOK_MS = 2_000;

/**
 * Asks a guest to go down, and again, until it is down or its time is up. One that sleeps is woken up for it, and one
 * that is held is let run.
 *
 * @throws {QemuError} `QEMU_ABORTED`
 */
export async function askGuest(
  host: MachineContext,
  target: MachineRef,
  process: ProcessInfo,
  step: Ask,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  // To be heard it would have to run, and it may run elsewhere.
  if (!isOwner(target.files)) return { kind: 'deaf' };
  const over = new AbortController();
  const asking = new Asking(host, target, process, step, over.signal);
  const deadline = performance.now() + step.timeoutMs;
  const left = (): number => Math.max(0, deadline - performance.now());
  let lookMs = FIRST_LOOK_MS;
  try {
    do {
      const answer = await asking.visit(Math.max(LEAST_ANSWER_MS, Math.min(ANSWER_MS, left())), signal);
      if (answer) return answer;
      const pauseMs = Math.min(lookMs, asking.dueInMs(), left());
      if (await waitForExit(process.pid, process.startTime, pauseMs, signal)) return asking.ended();
      lookMs = Math.min(2 * lookMs, LOOK_MS);
    } while (left() > 0);
    return asking.late();
  } finally {
    over.abort();
  }
}

/** One guest that is being asked. */
class Asking {
  readonly #host: MachineContext;
  readonly #target: MachineRef;
  readonly #process: ProcessInfo;
  readonly #step: Ask;
  readonly #agent: AgentRequest;
  #dueAt = 0;
  #wasAsked = false;
  #state: string | undefined;
  #way: string | undefined;
  #problem: string | undefined;

  constructor(host: MachineContext, target: MachineRef, process: ProcessInfo, step: Ask, over: AbortSignal) {
    this.#host = host;
    this.#target = target;
    this.#process = process;
    this.#step = step;
    this.#agent = new AgentRequest(target.files, over);
  }

  /** Milliseconds until the guest is to be asked again. */
  dueInMs(): number {
    return Math.max(0, this.#dueAt - performance.now());
  }

  /** Looks at the guest, and asks it when that is due. Undefined when there is to be more of that. */
  async visit(timeoutMs: number, signal: AbortSignal | undefined): Promise<Answer | undefined> {
    const isDue = this.dueInMs() === 0;
    // In parallel with the button, never before it: a guest without an agent keeps us waiting.
    if (isDue && this.#step.agent) this.#agent.ask();
    const visit = await whileAlive(this.#process, signal, (alive) => this.#look(isDue, timeoutMs, alive));
    const isPanicNew = visit?.state === 'guest-panicked' && this.#state !== 'guest-panicked';
    this.#takeNote(visit);
    if (isPanicNew) await this.#keepPanic(signal);
    if (isDue) this.#dueAt = performance.now() + this.#pauseAfter(visit);
    if (visit?.done === 'deaf') return { kind: 'deaf' };
    return visit?.done === 'off' ? { kind: 'off', rung: await this.#rung('powerdown') } : undefined;
  }

  async ended(): Promise<Answer> {
    // Never reached by us: another process ended it.
    return { kind: 'ended', rung: await this.#rung(this.#wasAsked && this.#step.powerButton ? 'powerdown' : 'none') };
  }

  late(): Answer {
    return { kind: 'late', wasAsked: this.#wasAsked, problem: this.#problem, state: this.#state };
  }

  async #rung(otherwise: Rung): Promise<Rung> {
    return (await this.#agent.isTaken()) ? 'agent' : otherwise;
  }

  async #look(isDue: boolean, timeoutMs: number, signal: AbortSignal): Promise<Visit | undefined> {
    const deadline = performance.now() + timeoutMs;
    try {
      const { files } = this.#target;
      const opened = await openAny(files, readRecord(files) ?? NO_PORTS, { timeoutMs, signal });
      const client = opened.value;
      this.#problem = undefined;
      if (opened.way !== this.#way) tellWay(this.#host, this.#target, opened);
      this.#way = opened.way;
      try {
        const leftMs = Math.max(1, deadline - performance.now());
        const trace = (message: string): void => this.#notify('trace', message);
        const { powerButton } = this.#step;
        return await visitGuest(client, { isDue, powerButton, timeoutMs: leftMs, signal, trace });
      } finally {
        await client.close();
      }
    } catch (error) {
      if (!(error instanceof QemuError)) throw error;
      if (!signal.aborted) this.#problem = error.message;
      if (isDue) this.#notify('debug', `the guest cannot be asked: ${error.message}`);
      return undefined;
    }
  }

  async #keepPanic(signal: AbortSignal | undefined): Promise<void> {
    // Loaded when there is a panic: it would slow down every stop.
    const { keepPanic } = await import('./keep-panic.ts');
    await keepPanic(this.#host, this.#target, signal);
  }

  #takeNote(visit: Visit | undefined): void {
    if (!visit) return;
    const { state, done } = visit;
    if (done === 'asked' || done === 'roused') this.#wasAsked = true;
    const isNews = state !== this.#state && (done !== 'seen' || stateRule(state).severity === 'error');
    this.#state = state;
    if (!isNews || state === 'running') return;
    this.#notify(stateRule(state).severity === 'error' ? 'warning' : 'debug', `it is ${describeState(state)}`);
  }

  #pauseAfter(visit: Visit | undefined): number {
    const isSoon = visit === undefined || visit.done === 'roused' || visit.done === 'later';
    return isSoon ? PRESS_SOON_MS : this.#step.repeatMs;
  }

  #notify(level: Notice['level'], message: string): void {
    this.#host.notify({ level, machine: this.#target.longName, message });
  }
}
