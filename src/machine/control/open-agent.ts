import type { Duplex } from 'node:stream';
import { abortError } from '../../base/abort.ts';
import { AgentClient } from '../../qmp/agent/agent-client.ts';
import type { AgentCommandOptions } from '../../qmp/agent/agent-dialogue.ts';
import { AgentSession, type AgentSessionOptions } from '../../qmp/agent/agent-session.ts';
import { openStream } from '../../qmp/transport.ts';
import { withHeldSocket } from '../../system/files/held-socket.ts';
import type { MachinePaths } from '../../system/paths.ts';

/** How to open a session with the agent of a machine. */
export type AgentOptions = AgentCommandOptions & AgentSessionOptions;

/**
 * Begins a session with the agent of a machine's guest, without a turn: for what must not wait for other sessions.
 *
 * @throws {QemuError} as {@link AgentClient.open}; `QEMU_IO` without QGA, `QEMU_NOT_PERMITTED`, `QEMU_QMP_CONNECT` when
 * the machine is not running.
 */
export async function openAgent(
  files: Pick<MachinePaths, 'agentSocket'>,
  options: AgentOptions & { readonly signal: AbortSignal },
): Promise<AgentClient> {
  return AgentClient.open(await openAgentSocket(files, options.signal), options);
}

/** Connects to the socket of the agent. @throws {QemuError} as {@link openAgent}. */
export function openAgentSocket(
  { agentSocket }: Pick<MachinePaths, 'agentSocket'>,
  signal: AbortSignal,
): Promise<Duplex> {
  return withHeldSocket(agentSocket, (path) => dial(path, signal));
}

/** A session in which both sides agree on where they are. @throws {QemuError} as {@link AgentClient.open}. */
export async function openAgentSession(stream: Duplex, options: AgentOptions): Promise<AgentSession> {
  const session = new AgentSession(stream, options);
  try {
    await session.synchronize(options);
    return session;
  } catch (error) {
    session.close();
    throw error;
  }
}

async function dial(path: string, signal: AbortSignal): Promise<Duplex> {
  try {
    return await openStream({ kind: 'unix', path }, { retry: false, signal });
  } catch (error) {
    throw signal.aborted ? abortError(signal) : error;
  }
}
