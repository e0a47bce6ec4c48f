import type { StopMethod } from '../../config/types.ts';

/** What ended a machine; `none`: it was not running; `save`: its state is saved. */
export type Rung = 'none' | 'save' | 'powerdown' | 'agent' | 'quit' | 'sigterm' | 'sigkill';

/** One step: what is done, and how long the machine then has to go. */
export type Step =
  | {
      readonly kind: 'ask';
      readonly powerButton: boolean;
      readonly agent: boolean;
      readonly timeoutMs: number;
      /** The button is pressed again after this: a press before the guest listens is lost. */
      readonly repeatMs: number;
    }
  | { readonly kind: 'quit'; readonly timeoutMs: number }
  | { readonly kind: 'sigterm'; readonly timeoutMs: number }
  | { readonly kind: 'sigkill'; readonly timeoutMs: number };

/** The step of a stop that begins now, and those before and after it. */
export interface StopStep {
  /** Index in {@link plan}. */
  readonly at: number;
  /** Steps are taken in this order until the machine is gone. */
  readonly plan: readonly PlannedStep[];
}

/** A step as programs see it. */
export interface PlannedStep {
  /** How the machine may end in it: to ask a guest may be by its power button, by its agent, or by both. */
  readonly rungs: readonly Rung[];
  /** How long the machine has to go. */
  readonly timeoutMs: number;
}

/** Receives each step when it begins. */
export type OnStopStep = (step: StopStep) => void;

/**
 * A step as programs see it, in its plan. One that is taken though it was not planned, after a guest that is down, comes
 * after all others.
 */
export function stopStep(steps: readonly Step[], step: Step): StopStep {
  const all = steps.some(({ kind }) => kind === step.kind) ? steps : [...steps, ...planEnd()];
  const plan = all.map((each) => ({ rungs: rungsOf(each), timeoutMs: each.timeoutMs }));
  return { at: all.findIndex(({ kind }) => kind === step.kind), plan };
}

function rungsOf(step: Step): Rung[] {
  if (step.kind !== 'ask') return [step.kind];
  return [...(step.powerButton ? (['powerdown'] as const) : []), ...(step.agent ? (['agent'] as const) : [])];
}

export interface StopPlanOptions {
  readonly method: StopMethod;
  readonly stopDelayMs: number;
  /** Stop after the first step, whatever its result. */
  readonly noKill: boolean;
  /** Do not ask at all. */
  readonly force: boolean;
}

export const PRESS_AGAIN_MS = 10_000;
/** A guest that was just woken up or let run may not listen yet. */
export const PRESS_SOON_MS = 2_000;
export const QUIT_MS = 15_000;
export const SIGTERM_MS = 5_000;
/** A process that is stuck in the kernel (state D) outlives even SIGKILL for a while. */
export const SIGKILL_MS = 10_000;

/** The steps that stop a machine, the gentlest first. */
export function planStop(wish: StopPlanOptions): Step[] {
  const ask: Step = {
    kind: 'ask',
    powerButton: wish.method !== 'agent',
    agent: wish.method !== 'acpi',
    timeoutMs: wish.stopDelayMs,
    repeatMs: PRESS_AGAIN_MS,
  };
  if (wish.noKill) return [ask];
  return wish.force ? planEnd() : [ask, ...planEnd()];
}

/** The steps that end QEMU, whatever its guest does. */
export function planEnd(): Exclude<Step, { kind: 'ask' }>[] {
  return [
    { kind: 'quit', timeoutMs: QUIT_MS },
    { kind: 'sigterm', timeoutMs: SIGTERM_MS },
    { kind: 'sigkill', timeoutMs: SIGKILL_MS },
  ];
}

/** Longest time that the steps take, in milliseconds. */
export function stopLimitMs(steps: readonly Step[]): number {
  return steps.reduce((sum, { timeoutMs }) => sum + timeoutMs, 0);
}

/** What a stop has done, for people. */
export function describeStop(rung: Rung, seconds: number): string {
  return rung === 'save' ? `saved in ${seconds} s` : `stopped by ${rung} in ${seconds} s`;
}
