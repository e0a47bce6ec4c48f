import { startDeadline } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import { asArray, asRecord } from '../../base/guards.ts';
import type { AgentClient } from '../../qmp/agent/agent-client.ts';
import type { AgentCommandOptions, AgentSessionOptions } from '../../qmp/agent/agent-session.ts';
import type { QmpClient } from '../../qmp/client.ts';
import { AGENT_CHANNEL } from '../argv/channels.ts';
import { type MachineContext, type MachineRef, notRunning } from '../context.ts';
import { locate } from '../run/locate.ts';
import { withOwnMonitor } from './control-port.ts';
import { openAgent } from './open-agent.ts';

/** How to open a session with the agent of a machine. */
export type AgentOptions = AgentCommandOptions & AgentSessionOptions;

/** An agent that is there answers in milliseconds, but the guest may be busy. */
const ANSWER_MS = 3_000;
/** QEMU is asked first whether there is one at all; which must save time, not cost it. */
const LOOK_MS = 1_000;

/**
 * Begins a session with the agent in a running machine's guest. When no program in the guest has the channel open,
 * which QEMU knows, no time is lost by asking it.
 *
 * @param client a connection of the caller's to ask QEMU over; default: one of its own.
 * @throws {QemuError} `QEMU_NO_AGENT` when there is none, or none that answers in 3 s or the time limit;
 * `QEMU_NOT_RUNNING`, `QEMU_NOT_PERMITTED`, `QEMU_ABORTED`, `QEMU_USAGE`.
 */
export async function openAgentOf(
  host: MachineContext,
  target: MachineRef,
  { timeoutMs = ANSWER_MS, signal, ...limits }: AgentOptions,
  client?: QmpClient,
): Promise<AgentClient> {
  if (locate(target.files).kind !== 'alive') throw notRunning(target);
  const late = new AbortController();
  const timer = startDeadline(timeoutMs, () => late.abort());
  const stop = signal ? AbortSignal.any([signal, late.signal]) : late.signal;
  try {
    const channel = await askForChannel(host, target, stop, client);
    if (channel !== undefined && channel !== 'open') throw noAgent(target, CHANNEL_HINTS[channel]);
    return await openAgent(target.files, { ...limits, timeoutMs: Number.POSITIVE_INFINITY, signal: stop });
  } catch (error) {
    if (signal?.aborted || !(error instanceof QemuError) || !isSilence(error)) throw error;
    throw noAgent(
      target,
      'the guest may be paused, or the agent may serve another client: it serves one at a time',
      error,
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

function noAgent({ longName }: MachineRef, hint: string, cause?: unknown): QemuError {
  return new QemuError('QEMU_NO_AGENT', `No guest agent answers in machine "${longName}"`, { hint, cause });
}

/** Whether a program in the guest has the agent's channel open; undefined when QEMU cannot be asked. */
async function askForChannel(
  host: MachineContext,
  target: MachineRef,
  signal: AbortSignal,
  client: QmpClient | undefined,
): Promise<'open' | 'closed' | 'missing' | undefined> {
  const limits = { timeoutMs: LOOK_MS, signal };
  const ask = async (monitor: QmpClient): Promise<'open' | 'closed' | 'missing'> => {
    const channels = asArray(await monitor.executeRaw('query-chardev', undefined, limits)).map(asRecord);
    const agent = channels.find(({ label }) => label === AGENT_CHANNEL);
    if (!agent) return 'missing';
    return agent['frontend-open'] === true ? 'open' : 'closed';
  };
  try {
    return client ? await ask(client) : await withOwnMonitor(host, target, limits, ask);
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    return undefined;
  }
}
