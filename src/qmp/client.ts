import { QemuError } from '../base/errors.ts';
import type { QmpAddress } from './address.ts';
import { closedError, type ExecuteOptions } from './command.ts';
import type { CommandMap, EventMap, EventName, ExecuteRest, QmpCommands, QmpEvents } from './commands.ts';
import { connectSession, type QmpClientOptions } from './connect.ts';
import type { EventFilter, EventMatch, KnownEvent, QmpEvent } from './event.ts';
import { EventHub, type SubscribeOptions, type WaitOptions } from './event-hub.ts';
import type { EventSubscription } from './event-subscription.ts';
import { cleanHmpText } from './hmp.ts';
import type { QmpGreeting } from './message.ts';
import type { QmpSession } from './session.ts';
import type { QmpEnd, QmpState } from './state.ts';

/**
 * A client of one QEMU monitor. Every call settles: with an answer, at its deadline, when its signal is aborted, or when
 * the connection ends. Nothing is ever sent twice. Closing the client does not end QEMU.
 *
 * The types of commands and events are those of QEMU 7.2 unless others are given, made by {@link generateTypes}.
 *
 * @example
 * import { Fleet } from 'qemu-init';
 *
 * const fleet = Fleet.open();
 * const { client } = await fleet.domain(fleet.get('web'));
 * try {
 *   const { status } = await client.execute('query-status');
 *   const since = client.eventCount;
 *   await client.execute('stop');
 *   await client.waitForEvent('STOP', undefined, { since, timeoutMs: 5_000 });
 *   await client.execute('cont');
 *   console.log(`was ${status}`);
 * } finally {
 *   await client.close();
 * }
 */
export class QmpClient<Commands extends CommandMap<Commands> = QmpCommands, Events extends EventMap<Events> = QmpEvents>
  implements AsyncDisposable
{
  readonly #events = new EventHub();
  #state: ClientState = { kind: 'idle', end: undefined };
  #closed: Promise<QmpEnd>;
  #resolveClosed: (end: QmpEnd) => void = () => {};

  constructor() {
    this.#closed = this.#expectEnd();
  }

  /**
   * A client that is connected: dialled, greeted, negotiated.
   *
   * @throws {QemuError} as {@link open}.
   */
  static async connect<
    Commands extends CommandMap<Commands> = QmpCommands,
    Events extends EventMap<Events> = QmpEvents,
  >(address: QmpAddress, options: QmpClientOptions = {}): Promise<QmpClient<Commands, Events>> {
    const client = new QmpClient<Commands, Events>();
    await client.open(address, options);
    return client;
  }

  /** Where the connection is in its life. */
  get state(): QmpState {
    return this.#state;
  }

  /**
   * What the peer greeted with.
   *
   * @throws {QemuError} QEMU_QMP_STATE when not running.
   */
  get greeting(): QmpGreeting {
    if (this.#state.kind !== 'running') throw stateError('read the greeting', this.#state.kind, 'running');
    return this.#state.greeting;
  }

  /** Resolves when the connection has ended, whoever ended it; never rejects. Each {@link open} begins a new promise. */
  get closed(): Promise<QmpEnd> {
    return this.#closed;
  }

  /** Events so far, over all connections of this client; a value to pass as {@link WaitOptions.since}. */
  get eventCount(): number {
    return this.#events.count;
  }

  /**
   * Connects, reads the greeting and negotiates, all before one deadline. Listeners made before are served from the first
   * event on. A client whose connection has ended may be opened again; events of the meantime are lost, so read the
   * state by queries then.
   *
   * @throws {QemuError} QEMU_QMP_CONNECT when the address cannot be connected to, QEMU_QMP_CLOSED when the peer hangs up,
   * QEMU_QMP_GREETING if it is not a QMP monitor, QEMU_QMP_NEGOTIATION if it refuses, QEMU_QMP_PROTOCOL when it sends
   * rubbish, QEMU_TIMEOUT at the deadline, QEMU_ABORTED, QEMU_QMP_STATE when the client is not idle.
   */
  async open(address: QmpAddress, options: QmpClientOptions = {}): Promise<void> {
    if (this.#state.kind !== 'idle') throw stateError('open', this.#state.kind, 'idle');
    if (this.#state.end !== undefined) this.#closed = this.#expectEnd();
    const stop = new AbortController();
    this.#state = { kind: 'connecting', stop };
    this.#events.begin();
    try {
      const handlers = {
        onEvent: this.#events.publish.bind(this.#events),
        onEnd: (end: QmpEnd): void => this.#finish(end),
      };
      const { session, greeting } = await connectSession(address, options, handlers, stop);
      // The peer may have hung up right after its last answer.
      if (session.end !== undefined) throw closedError('qmp_capabilities', session.end);
      this.#state = { kind: 'running', session, greeting };
    } catch (error) {
      this.#finish({ kind: 'lost', error: error instanceof QemuError ? error : undefined });
      throw error;
    }
  }

  /**
   * Executes a command and returns its answer.
   *
   * `quit` counts as answered when the peer hangs up. A command that is given up at its deadline or by its signal may
   * still run; its late answer is dropped and the connection stays usable.
   *
   * @throws {QmpRefusedError} QEMU_QMP_REFUSED when QEMU answers with an error.
   * @throws {QemuError} QEMU_TIMEOUT, QEMU_ABORTED, QEMU_QMP_CLOSED when the connection ends first, QEMU_QMP_BAD_REPLY when
   * the answer is malformed, QEMU_QMP_STATE when not running, QEMU_USAGE for arguments that JSON cannot carry.
   */
  execute<C extends keyof Commands & string>(
    command: C,
    ...[args, options]: ExecuteRest<C, ExecuteOptions, Commands>
  ): Promise<Commands[C]['returns']> {
    // The types come from QEMU's own schema; nothing is checked at run time.
    return this.#send(command, args, options);
  }

  /**
   * Executes a command that {@link QmpCommands} does not know, or with arguments that it does not know.
   *
   * @throws {QemuError} as {@link execute}.
   */
  executeRaw(
    command: string,
    args?: Readonly<Record<string, unknown>> | undefined,
    options?: ExecuteOptions | undefined,
  ): Promise<unknown> {
    return this.#send(command, args, options);
  }

  /**
   * Executes a line of the human monitor and returns its text, with plain line feeds. A line that the human monitor
   * refuses is a success for QMP: see {@link findHmpError}.
   *
   * @throws {QemuError} as {@link execute}.
   */
  async hmp(commandLine: string, options: ExecuteOptions = {}): Promise<string> {
    const text = await this.#send('human-monitor-command', { 'command-line': commandLine }, options);
    // After `quit` there is no text.
    return typeof text === 'string' ? cleanHmpText(text) : '';
  }

  /**
   * Listens for events from now on. `for await` over the result ends when the connection ends, without an error.
   *
   * @throws {QemuError} QEMU_USAGE when the limit is not a whole number from 1.
   * @example
   * for await (const { data } of client.events('SHUTDOWN')) console.log(data.reason);
   */
  events<N extends EventName<Events>>(
    filter: N | readonly N[],
    options?: SubscribeOptions,
  ): EventSubscription<KnownEvent<N, Events>>;
  events(filter?: EventFilter, options?: SubscribeOptions): EventSubscription;
  // The signatures above say which: the data of an event is typed by name, and not checked at run time.
  events(filter?: EventFilter, options: SubscribeOptions = {}): object {
    return this.#events.subscribe(filter, options);
  }

  /**
   * Waits for one event. Only events from now on count, unless `since` is given.
   *
   * @throws {QemuError} QEMU_TIMEOUT, QEMU_ABORTED, QEMU_QMP_CLOSED when the connection ends first, QEMU_QMP_STATE when
   * events after `since` are not kept any more.
   * @example
   * const since = client.eventCount;
   * await client.execute('stop');
   * await client.waitForEvent('STOP', undefined, { since });
   */
  waitForEvent<N extends EventName<Events>>(
    name: N | readonly N[],
    match?: EventMatch,
    options?: WaitOptions,
  ): Promise<KnownEvent<N, Events>>;
  waitForEvent(filter: EventFilter, match?: EventMatch, options?: WaitOptions): Promise<QmpEvent>;
  waitForEvent(filter: EventFilter, match?: EventMatch, options: WaitOptions = {}): Promise<unknown> {
    return this.#events.wait(filter, match, options);
  }

  /**
   * Lets go of the monitor; QEMU goes on. What was written is flushed first, for at most 1 s; calls that wait are rejected
   * at once. May be called in any state and again.
   */
  async close(): Promise<void> {
    const state = this.#state;
    if (state.kind === 'idle') return;
    if (state.kind === 'connecting') {
      state.stop.abort(new QemuError('QEMU_QMP_CLOSED', 'Client was closed while it was connecting'));
    } else if (state.kind === 'running') {
      this.#state = { kind: 'disconnecting' };
      await state.session.close();
    }
    await this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // Without `async`, which would have each caller wait for three more turns of the queue of microtasks.
  #send(command: string, args: object | undefined, options: ExecuteOptions = {}): Promise<unknown> {
    const state = this.#state;
    try {
      if (state.kind === 'idle' && state.end?.kind === 'lost') throw closedError(command, state.end);
      if (state.kind !== 'running') throw stateError(`execute "${command}"`, state.kind, 'running');
      return state.session.send(command, args, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #expectEnd(): Promise<QmpEnd> {
    return new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  #finish(end: QmpEnd): void {
    if (this.#state.kind === 'idle') return;
    this.#state = { kind: 'idle', end };
    this.#events.finish(end);
    this.#resolveClosed(end);
  }
}

/** {@link QmpState} with what only the client itself may use. */
type ClientState =
  | Exclude<QmpState, { kind: 'connecting' | 'running' }>
  | (Extract<QmpState, { kind: 'connecting' }> & { readonly stop: AbortController })
  | (Extract<QmpState, { kind: 'running' }> & { readonly session: QmpSession });

function stateError(action: string, actual: QmpState['kind'], needed: QmpState['kind']): QemuError {
  return new QemuError('QEMU_QMP_STATE', `Cannot ${action} while the client is ${actual}: it must be ${needed}`);
}
