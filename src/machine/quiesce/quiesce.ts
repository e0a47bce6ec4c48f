import { QemuError } from '../../base/errors.ts';
import type { AgentClient } from '../../qmp/agent/agent-client.ts';
import type { QmpClient } from '../../qmp/client.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { openAgentOf } from '../control/agent.ts';
import { writeFrozenMark } from './frozen-mark.ts';
import { thawGuest } from './thaw.ts';

/**
 * Whether a guest's file systems are frozen for an instant: `auto`, when an agent answers; `on`, or the command fails;
 * `off`, never.
 */
export type Quiesce = 'auto' | 'on' | 'off';

/** How to keep a guest quiet. */
export interface QuiesceOptions {
  readonly quiesce: Quiesce;
  /** A connection of the caller's, which QEMU is then asked over whether there is an agent. */
  readonly client?: QmpClient | undefined;
  /** Milliseconds after which the guest is thawed, whatever else goes on (default: 10 s). */
  readonly mostFrozenMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What was done, and how quiet the guest was. */
export interface Quiesced<T> {
  readonly value: T;
  /** The file systems were frozen from the beginning to the end. */
  readonly quiesced: boolean;
  /** Why they were not, as a clause; undefined when they were, and with `off`. */
  readonly whyNot: string | undefined;
}

/** An agent that is there answers in milliseconds; a guest that is paused never. */
const ANSWER_MS = 2_000;
const FREEZE_MS = 10_000;
const MOST_FROZEN_MS = 10_000;

/**
 * Does `body` while the guest's file systems are frozen, and thaws them in every case; after SIGKILL of this process
 * the next command does that. `body` should take milliseconds.
 *
 * @throws {QemuError} with `on`: `QEMU_NO_AGENT` without an agent that answers, `QEMU_QMP_REFUSED`, `QEMU_TIMEOUT`,
 * `QEMU_COMMAND_FAILED` when the file systems were not frozen; `QEMU_ABORTED`; and what `body` throws.
 */
export async function whileQuiet<T>(
  host: MachineContext,
  target: MachineRef,
  options: QuiesceOptions,
  body: () => Promise<T>,
): Promise<Quiesced<T>> {
  if (options.quiesce === 'off') return { value: await body(), quiesced: false, whyNot: undefined };
  let frozen: Frozen | undefined;
  let whyNot: string | undefined;
  try {
    frozen = await freeze(host, target, options);
  } catch (error) {
    const isFatal = options.quiesce === 'on' || options.signal?.aborted === true;
    if (isFatal || !(error instanceof QemuError)) throw error;
    whyNot = error.message;
  }
  if (!frozen) return { value: await body(), quiesced: false, whyNot };
  const { value, isQuiet } = await thawAfter(host, target, frozen, body, options.mostFrozenMs);
  if (isQuiet) return { value, quiesced: true, whyNot: undefined };
  if (options.quiesce === 'on') throw notQuiet(target, 'they were thawed before it was done');
  return { value, quiesced: false, whyNot: 'the file systems were thawed before it was done' };
}

interface Frozen {
  readonly agent: AgentClient;
}

async function freeze(host: MachineContext, target: MachineRef, options: QuiesceOptions): Promise<Frozen> {
  const { client, signal } = options;
  const agent = await openAgentOf(host, target, { timeoutMs: ANSWER_MS, signal }, client);
  try {
    writeFrozenMark(target.files);
  } catch (error) {
    agent.close();
    throw error;
  }
  try {
    const count = await agent.freeze(undefined, { timeoutMs: FREEZE_MS, signal });
    if (count === 0) throw notQuiet(target, 'none of them can be frozen');
    return { agent };
  } catch (error) {
    // A freeze that was refused may have frozen some; of one that was given up nobody knows.
    await thawGuest(host, target, agent);
    agent.close();
    throw error;
  }
}

async function thawAfter<T>(
  host: MachineContext,
  target: MachineRef,
  { agent }: Frozen,
  body: () => Promise<T>,
  mostFrozenMs = MOST_FROZEN_MS,
): Promise<{ readonly value: T; readonly isQuiet: boolean }> {
  let thaw: Promise<number | undefined> | undefined;
  const thawOnce = (): Promise<number | undefined> => {
    thaw ??= thawGuest(host, target, agent).finally(() => agent.close());
    return thaw;
  };
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    void thawOnce();
  }, mostFrozenMs);
  try {
    const value = await body();
    // A guest such as Windows thaws by itself after a while, and says so only now.
    const count = await thawOnce();
    return { value, isQuiet: !isLate && count !== 0 };
  } finally {
    clearTimeout(timer);
    await thawOnce();
  }
}

function notQuiet({ longName }: MachineRef, why: string): QemuError {
  return new QemuError('QEMU_COMMAND_FAILED', `The file systems of machine "${longName}" were not frozen: ${why}`, {
    hint: '--quiesce off goes on without it',
  });
}
