import { checkTimeout } from '../../base/abort.ts';
import { errorCode, QemuError } from '../../base/errors.ts';
import type { AgentCommandOptions, AgentDialogue } from '../../qmp/agent/agent-dialogue.ts';
import type { AgentSession } from '../../qmp/agent/agent-session.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { openAgentTurn, silentAgent } from './agent.ts';

/** A session that goes on for longer is ended between two commands, so that others have their turn. */
const TURN_MS = 500;
/** So is one in which nothing happens, such as that of a reader who is slow to take the pieces of a file. */
const IDLE_MS = 100;
/**
 * An agent that is there answers in milliseconds, but the guest may be busy: until the first answer, and the default limit
 * of a command with what comes before it. Other sessions do not count.
 */
const ANSWER_MS = 3_000;
/** What has begun is not given up so soon because of a busy guest or other sessions: `exec` awaits its program. */
const LATER_BEGIN_MS = 15_000;
const LATER_TURN_MS = 30_000;

/**
 * The agent of a machine, used in short sessions that are begun when a command is sent and ended soon after it, so that
 * other commands, `stop` among them, have their turn in between. It may be kept for as long as one likes.
 */
export class AgentTurns implements AgentDialogue {
  readonly #host: MachineContext;
  readonly #target: MachineRef;
  #last: Promise<unknown> = Promise.resolve();
  #session: { readonly session: AgentSession; readonly until: number } | undefined;
  #idle: NodeJS.Timeout | undefined;
  #hasBegun = false;
  #isBusy = false;
  #isClosed = false;

  constructor(host: MachineContext, target: MachineRef) {
    this.#host = host;
    this.#target = target;
  }

  /**
   * See {@link AgentDialogue.execute}.
   *
   * @throws {QemuError} also as {@link openAgentTurn}.
   */
  execute(command: string, args?: object, options: AgentCommandOptions = {}): Promise<unknown> {
    return this.#inSession(options, (session, limits) => session.execute(command, args, limits));
  }

  /** See {@link AgentDialogue.executeOrUndo}. @throws {QemuError} as {@link execute}. */
  executeOrUndo(
    command: string,
    args: object | undefined,
    undo: string,
    options: AgentCommandOptions,
  ): Promise<unknown> {
    return this.#inSession(options, (session, limits) => session.executeOrUndo(command, args, undo, limits));
  }

  /** See {@link AgentDialogue.executeSilent}. @throws {QemuError} as {@link execute}. */
  executeSilent(command: string, args?: object, options: AgentCommandOptions = {}): Promise<void> {
    return this.#inSession(options, (session, limits) => session.executeSilent(command, args, limits));
  }

  rest(): void {
    // Another call may be in the middle of a command.
    if (!this.#isBusy) this.#leave();
  }

  /** Ends the session that may be open; commands afterwards are refused. */
  close(): void {
    this.#isClosed = true;
    this.#leave();
  }

  #leave(): void {
    clearTimeout(this.#idle);
    this.#session?.session.close();
    this.#session = undefined;
  }

  #inSession<T>(
    options: AgentCommandOptions,
    work: (session: AgentSession, limits: AgentCommandOptions) => Promise<T>,
  ): Promise<T> {
    const { timeoutMs, signal } = options;
    const given = timeoutMs === undefined ? undefined : performance.now() + checkTimeout(timeoutMs);
    const run = this.#last.then(async () => {
      // Commands before this one are no fault of the agent's, either.
      const until = performance.now() + ANSWER_MS;
      const { session, waitedMs } = await this.#begin(given ?? until, signal);
      const deadline = given ?? until + waitedMs;
      this.#isBusy = true;
      try {
        return await work(session, { timeoutMs: Math.max(1, deadline - performance.now()), signal });
      } catch (error) {
        // Of any other failure nothing is known about what the agent does next.
        if (errorCode(error) !== 'QEMU_QMP_REFUSED') this.#leave();
        throw errorCode(error) === 'QEMU_TIMEOUT' ? silentAgent(this.#target, error) : error;
      } finally {
        this.#isBusy = false;
        this.#idle = setTimeout(() => this.rest(), IDLE_MS);
      }
    });
    this.#last = run.catch(() => {});
    return run;
  }

  /** @returns also how long other sessions were waited for. */
  async #begin(
    deadline: number,
    signal: AbortSignal | undefined,
  ): Promise<{ session: AgentSession; waitedMs: number }> {
    let waitedMs = 0;
    clearTimeout(this.#idle);
    if (this.#isClosed) throw new QemuError('QEMU_QMP_CLOSED', 'Connection to the guest agent was closed');
    if (this.#session && performance.now() > this.#session.until) this.#leave();
    if (!this.#session) {
      const mostMs = this.#hasBegun ? LATER_BEGIN_MS : ANSWER_MS;
      const timeoutMs = Math.max(1, Math.min(mostMs, deadline - performance.now()));
      const onTurn = (ms: number): void => {
        waitedMs = ms;
      };
      const turn = { lockMs: this.#hasBegun ? LATER_TURN_MS : undefined, onTurn };
      const session = await openAgentTurn(this.#host, this.#target, { timeoutMs, signal }, turn);
      this.#session = { session, until: performance.now() + TURN_MS };
      this.#hasBegun = true;
    }
    return { session: this.#session.session, waitedMs };
  }
}
