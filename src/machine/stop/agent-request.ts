import { QemuError } from '../../base/errors.ts';
import type { AgentClient } from '../../qmp/agent/agent-client.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { openAgent } from '../control/open-agent.ts';

/** A running agent answers in milliseconds. */
const AGENT_ANSWER_MS = 3_000;
/** Its answer to this is short. */
const MOST_LINE_BYTES = 64 * 1024;

/** The wish to a guest agent that the guest go down, repeated until an agent has taken it. */
export class AgentRequest {
  readonly #files: Pick<MachinePaths, 'agentSocket'>;
  readonly #limits: { readonly timeoutMs: number; readonly maxLineBytes: number; readonly signal: AbortSignal };
  #attempt: Promise<void> | undefined;
  #isTaken = false;

  constructor(files: Pick<MachinePaths, 'agentSocket'>, signal: AbortSignal) {
    this.#files = files;
    this.#limits = { timeoutMs: AGENT_ANSWER_MS, maxLineBytes: MOST_LINE_BYTES, signal };
  }

  /** Asks, unless an agent has taken the wish or is being asked. Does not wait: no agent may be there to answer. */
  ask(): void {
    if (this.#isTaken || this.#attempt) return;
    this.#attempt = this.#try().finally(() => {
      this.#attempt = undefined;
    });
  }

  /** Whether an agent has taken the wish. Waits for one that is being asked. */
  async isTaken(): Promise<boolean> {
    await this.#attempt;
    return this.#isTaken;
  }

  async #try(): Promise<void> {
    let agent: AgentClient | undefined;
    try {
      agent = await openAgent(this.#files, this.#limits);
      await agent.shutdown('powerdown', this.#limits);
      this.#isTaken = true;
    } catch (error) {
      if (!(error instanceof QemuError)) throw error;
      // An agent that was there and is then asked no longer, or in vain, is one that has not refused.
      this.#isTaken = agent !== undefined && error.code === 'QEMU_ABORTED';
    } finally {
      agent?.close();
    }
  }
}
