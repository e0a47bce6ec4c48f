import { randomInt } from 'node:crypto';
import { askLine } from '../../system/ask-line.ts';
import { withHeldSocket } from '../../system/files/held-socket.ts';
import type { MachinePaths } from '../../system/paths.ts';

/** An agent that is there answers in milliseconds. */
const AGENT_ANSWER_MS = 3_000;

/**
 * Asks the guest agent to power the guest off.
 *
 * A 0xFF byte first clears what an earlier client left half-written in the agent's parser, and
 * `guest-sync-delimited` proves that an agent is there (QEMU docs/interop/qemu-ga, "guest-sync-delimited").
 * `guest-shutdown` itself has no success answer.
 *
 * @returns whether an agent took the request. Never throws for an agent that is missing or silent.
 */
export async function shutDownByAgent(files: MachinePaths, signal?: AbortSignal): Promise<boolean> {
  const id = randomInt(1, 2 ** 31);
  const sync = `{"execute":"guest-sync-delimited","arguments":{"id":${id}}}`;
  const shutdown = '{"execute":"guest-shutdown","arguments":{"mode":"powerdown"}}\n';
  const question = {
    request: Buffer.concat([Buffer.from([0xff]), Buffer.from(`${sync}\n`)]),
    isAnswer: (line: string) => line.includes(`"return": ${id}`) || line.includes(`"return":${id}`),
    followUp: Buffer.from(shutdown),
    timeoutMs: AGENT_ANSWER_MS,
    signal,
  };
  try {
    return await withHeldSocket(files.agentSocket, (path) => askLine(path, question));
  } catch {
    // Without QGA there is no socket.
    return false;
  }
}
