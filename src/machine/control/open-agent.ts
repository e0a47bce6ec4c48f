import type { Duplex } from 'node:stream';
import { abortError } from '../../base/abort.ts';
import { AgentClient } from '../../qmp/agent/agent-client.ts';
import type { AgentCommandOptions, AgentSessionOptions } from '../../qmp/agent/agent-session.ts';
import { openStream } from '../../qmp/transport.ts';
import { withHeldSocket } from '../../system/files/held-socket.ts';
import type { MachinePaths } from '../../system/paths.ts';

/**
 * Begins a session with the agent of a machine's guest.
 *
 * @throws {QemuError} as {@link AgentClient.open}; `QEMU_IO` without QGA, `QEMU_NOT_PERMITTED`, `QEMU_QMP_CONNECT` when
 * the machine is not running.
 */
export async function openAgent(
  files: Pick<MachinePaths, 'agentSocket'>,
  options: AgentCommandOptions & AgentSessionOptions & { readonly signal: AbortSignal },
): Promise<AgentClient> {
  const { signal } = options;
  return AgentClient.open(await withHeldSocket(files.agentSocket, (path) => dial(path, signal)), options);
}

async function dial(path: string, signal: AbortSignal): Promise<Duplex> {
  try {
    return await openStream({ kind: 'unix', path }, { retry: false, signal });
  } catch (error) {
    throw signal.aborted ? abortError(signal) : error;
  }
}
