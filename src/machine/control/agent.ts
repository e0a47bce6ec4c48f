import { startDeadline } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import { AgentClient } from '../../qmp/agent/agent-client.ts';
import type { AgentSession } from '../../qmp/agent/agent-session.ts';
import type { QmpClient } from '../../qmp/client.ts';
import { type MachineContext, type MachineRef, notRunning } from '../context.ts';
import { locate } from '../run/locate.ts';
import { type ChannelState, channelState } from './agent-channel.ts';
import { takeAgentTurn } from './agent-lock.ts';
import { withOwnMonitor } from './control-port.ts';
import { type AgentOptions, openAgentSession, openAgentSocket } from './open-agent.ts';

export type { AgentOptions } from './open-agent.ts';

/** An agent that is there answers in milliseconds, but the guest may be busy. */
const ANSWER_MS = 3_000;
/** Other sessions of ours are short; one that is not is reported. */
const LOCK_MS = 2_000;
/** QEMU is asked first whether there is one at all; which must save time, not cost it. */
const LOOK_MS = 1_000;

/** How to take part in the use of an agent. */
export interface TurnAtAgent {
  /** How long to wait for another session (default: 2 s). */
  readonly lockMs?: number | undefined;
  /** A connection of the caller's to ask QEMU over; default: one of its own. */
  readonly client?: QmpClient | undefined;
  /** Called when the turn came, with the milliseconds that other sessions took. */
  readonly onTurn?: ((waitedMs: number) => void) | undefined;
}

/**
 * Begins a session with the agent in a running machine's guest. When no program in the guest has the channel open,
 * which QEMU knows, no time is lost by asking it.
 *
 * An agent serves one client at a time. Sessions of this package take turns: one that is in use is waited for, which
 * does not count towards the time limit.
 *
 * @throws {QemuError} `QEMU_NO_AGENT` when there is none, or none that answers in 3 s or the time limit; `QEMU_LOCKED`
 * when another command uses it; `QEMU_NOT_RUNNING`, `QEMU_NOT_PERMITTED`, `QEMU_ABORTED`, `QEMU_USAGE`.
 */
export async function openAgentTurn(
  host: MachineContext,
  target: MachineRef,
  { timeoutMs = ANSWER_MS, signal, ...limits }: AgentOptions,
  { lockMs = LOCK_MS, client, onTurn }: TurnAtAgent = {},
): Promise<AgentSession> {
  if (locate(target.files).kind !== 'alive') throw notRunning(target);
  const began = performance.now();
  const channel = await within(target, timeoutMs, signal, (stop) => askForChannel(host, target, stop, client));
  if (channel !== undefined && channel !== 'open') throw noAgent(target, CHANNEL_HINTS[channel]);
  const leftMs = Math.max(1, timeoutMs - (performance.now() - began));
  const asked = performance.now();
  const release = await takeAgentTurn(target, { timeoutMs: lockMs, signal });
  onTurn?.(performance.now() - asked);
  try {
    return await within(target, leftMs, signal, async (stop) => {
      const stream = await openAgentSocket(target.files, stop);
      stream.once('close', release);
      return openAgentSession(stream, { ...limits, timeoutMs: Number.POSITIVE_INFINITY, signal: stop });
    });
  } catch (error) {
    release();
    throw error;
  }
}

/**
 * The same as a client.
 *
 * @param client a connection of the caller's to ask QEMU over; default: one of its own.
 * @throws {QemuError} as {@link openAgentTurn}.
 */
export async function openAgentOf(
  host: MachineContext,
  target: MachineRef,
  options: AgentOptions,
  client?: QmpClient,
): Promise<AgentClient> {
  return new AgentClient(await openAgentTurn(host, target, options, { client }));
}

/** Does a part of the opening; that nothing answers is an error of one kind, whatever shows it. */
async function within<T>(
  target: MachineRef,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  work: (stop: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = startDeadline(timeoutMs, () => late.abort());
  try {
    return await work(signal ? AbortSignal.any([signal, late.signal]) : late.signal);
  } catch (error) {
    if (signal?.aborted || !(error instanceof QemuError) || !isSilence(error)) throw error;
    throw silentAgent(
      target,
      late.signal.aborted ? new Error(`nothing came within ${Math.round(timeoutMs)} ms`) : error,
    );
  } finally {
    clearTimeout(timer);
  }
}

/** Hints by the codes of a session that never began. */
function isSilence({ code }: QemuError): boolean {
  return ['QEMU_TIMEOUT', 'QEMU_ABORTED', 'QEMU_QMP_CONNECT', 'QEMU_QMP_CLOSED'].includes(code);
}

const CHANNEL_HINTS = {
  missing: 'the machine was started without QGA=on',
  closed: 'none runs in the guest: install qemu-guest-agent there, or wait until it is up',
} as const;

/** The error of an agent that has the channel open and does not answer. */
export function silentAgent(target: MachineRef, cause: unknown): QemuError {
  const hint = 'the guest may be paused, or the agent may serve another client: it serves one at a time';
  return noAgent(target, hint, cause);
}

function noAgent({ longName }: MachineRef, hint: string, cause?: unknown): QemuError {
  return new QemuError('QEMU_NO_AGENT', `No guest agent answers in machine "${longName}"`, { hint, cause });
}

/** Whether a program in the guest has the agent's channel open; undefined when QEMU cannot be asked. */
async function askForChannel(
  host: MachineContext,
  target: MachineRef,
  signal: AbortSignal,
  client: QmpClient | undefined,
): Promise<ChannelState | undefined> {
  const limits = { timeoutMs: LOOK_MS, signal };
  const ask = (monitor: QmpClient): Promise<ChannelState> => channelState(monitor, limits);
  try {
    return client ? await ask(client) : await withOwnMonitor(host, target, limits, ask);
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    return undefined;
  }
}
