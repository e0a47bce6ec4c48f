import type { MachinePaths } from '../../system/paths.ts';
import { shutDownByAgent } from '../control/agent.ts';

/** The wish to a guest agent that the guest go down, repeated until an agent has taken it. */
export class AgentRequest {
  readonly #files: MachinePaths;
  readonly #signal: AbortSignal;
  #attempt: Promise<void> | undefined;
  #isTaken = false;

  constructor(files: MachinePaths, signal: AbortSignal) {
    this.#files = files;
    this.#signal = signal;
  }

  /** Asks, unless an agent has taken the wish or is being asked. Does not wait: no agent may be there to answer. */
  ask(): void {
    if (this.#isTaken || this.#attempt) return;
    this.#attempt = shutDownByAgent(this.#files, this.#signal).then((isTaken) => {
      this.#isTaken = isTaken;
      this.#attempt = undefined;
    });
  }

  /** Whether an agent has taken the wish. Waits for one that is being asked. */
  async isTaken(): Promise<boolean> {
    await this.#attempt;
    return this.#isTaken;
  }
}
