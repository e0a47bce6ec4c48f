import { checkTimeout } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import type { QmpClient } from '../../qmp/client.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import type { EventName } from '../../qmp/commands.ts';
import { type EventMatch, type KnownEvent, matchesEvent, type QmpEvent } from '../../qmp/event.ts';
import type { WaitOptions } from '../../qmp/event-hub.ts';
import { EventQueue } from '../../qmp/event-queue.ts';

/** An event to wait for: its name, or its name and what its data must hold. */
export type PendingWait = string | readonly [name: string, match?: EventMatch];

/** How to end QEMU. */
export interface ShutdownOptions {
  /** SIGKILL at once. */
  readonly hard?: boolean | undefined;
  /** Press the power button and let the guest go down; that it does not is an error then. */
  readonly graceful?: boolean | undefined;
  /** Milliseconds that it has; default: 30 s; `Infinity`: no limit. After that QEMU is ended. */
  readonly timeoutMs?: number | undefined;
  /** Gives up waiting; QEMU may then still run. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What machines have in common, whether a program builds them ({@link TransientMachine}) or a cfg does ({@link
 * Machine}): their monitor and its events.
 *
 * @example
 * import { TransientMachine } from 'qemu-init';
 *
 * const machine = new TransientMachine({ args: ['-accel', 'tcg', '-m', '64', '-S'] });
 * try {
 *   await machine.launch();
 *   const resumed = machine.eventWait('RESUME');
 *   await machine.command('cont');
 *   console.log((await resumed).event);
 * } finally {
 *   await machine.kill();
 * }
 */
export abstract class RunningMachine implements AsyncDisposable {
  abstract readonly name: string;
  #client: QmpClient | undefined;
  #events: EventQueue | undefined;

  /** Process of QEMU; undefined when it does not run. */
  abstract get pid(): number | undefined;

  /** Exit status of QEMU; undefined until it has ended, and when a signal ended it. */
  abstract get exitCode(): number | undefined;

  /** Signal that ended QEMU. */
  abstract get exitSignal(): string | undefined;

  /** What QEMU printed; also after its end. */
  abstract get log(): string;

  /** Whether QEMU runs. */
  abstract isRunning(): boolean;

  /** Ends QEMU with SIGKILL and waits for its end. Does nothing for a machine that is not running. */
  abstract kill(): Promise<void>;

  /** Guarantees the end of QEMU if this object launched it. */
  abstract [Symbol.asyncDispose](): Promise<void>;

  /**
   * The connection to QEMU.
   *
   * @throws {QemuError} `QEMU_NOT_RUNNING` before the launch; `QEMU_USAGE` when the monitor is off.
   */
  get qmp(): QmpClient {
    if (this.#client) return this.#client;
    throw this.whyNoMonitor();
  }

  /**
   * Sends any command and returns its answer. {@link QmpClient.execute} of {@link qmp} does the same with types.
   *
   * @throws {QmpRefusedError} when QEMU refuses it.
   * @throws {QemuError} as {@link QmpClient.execute} and {@link qmp}.
   */
  async command(command: string, args?: Readonly<Record<string, unknown>>, options?: ExecuteOptions): Promise<unknown> {
    return this.qmp.executeRaw(command, args, options);
  }

  /** Makes the machine that was launched with `--preconfig` and configured since. @throws {QmpRefusedError} */
  async exitPreconfig(options?: ExecuteOptions): Promise<void> {
    await this.command('x-exit-preconfig', undefined, options);
  }

  /**
   * Waits for an event that comes from now on, or after `since`, a value of `qmp.eventCount`. What came before never
   * counts.
   *
   * @throws {QemuError} `QEMU_TIMEOUT`, `QEMU_ABORTED`, `QEMU_QMP_CLOSED` when QEMU ends first.
   */
  eventWait<N extends EventName>(name: N, match?: EventMatch, options?: WaitOptions): Promise<KnownEvent<N>>;
  eventWait(name: string, match?: EventMatch, options?: WaitOptions): Promise<QmpEvent>;
  async eventWait(name: string, match?: EventMatch, options?: WaitOptions): Promise<unknown> {
    return this.qmp.waitForEvent(name, match, options);
  }

  /** Waits for the first event that fulfils one of several specs; as {@link eventWait} otherwise. */
  async eventsWait(specs: readonly PendingWait[], options?: WaitOptions): Promise<QmpEvent> {
    const isWished = (event: QmpEvent): boolean =>
      specs.some((wish) => {
        const [name, match] = typeof wish === 'string' ? [wish] : wish;
        return event.event === name && matchesEvent(event, match);
      });
    return this.qmp.waitForEvent(isWished, undefined, options);
  }

  /**
   * The oldest event that was not taken yet; undefined when there is none. The last 1,000 are kept, also those for
   * which {@link eventWait} waited.
   */
  getQmpEvent(): QmpEvent | undefined {
    return this.#events?.take();
  }

  /** All events that were not taken yet. */
  getQmpEvents(): QmpEvent[] {
    return this.#events?.takeAll() ?? [];
  }

  /** How many events of this launch went unseen, because more than 1,000 waited to be taken. */
  get droppedQmpEvents(): number {
    return this.#events?.dropped ?? 0;
  }

  /**
   * The oldest event that was not taken yet; waits for one when there is none.
   *
   * @throws {QemuError} `QEMU_TIMEOUT` (default: 60 s), `QEMU_ABORTED`, `QEMU_QMP_CLOSED` when QEMU ends first.
   */
  async nextQmpEvent(options: Omit<WaitOptions, 'since'> = {}): Promise<QmpEvent> {
    const { timeoutMs = NEXT_EVENT_MS, signal } = options;
    const events = this.#events;
    if (!events) throw this.whyNoMonitor();
    const deadline = performance.now() + checkTimeout(timeoutMs);
    for (;;) {
      if (!(await events.arrival({ timeoutMs: Math.max(0, deadline - performance.now()), signal }))) {
        throw new QemuError('QEMU_TIMEOUT', `No event of machine "${this.name}" within ${Math.round(timeoutMs)} ms`);
      }
      // Another caller may have taken it.
      const event = events.take();
      if (event) return event;
    }
  }

  /**
   * Whether the data of an event hold what is asked for: objects match by subset, lists and plain values by equality,
   * and `undefined` asks for nothing.
   */
  static eventMatch(event: QmpEvent, match: EventMatch | undefined): boolean {
    return matchesEvent(event, match);
  }

  /** Takes the connection of a launch. Its events are kept from here on; it may be opened later. */
  protected useMonitor(client: QmpClient): void {
    this.#client = client;
    this.#events = new EventQueue(client.events());
  }

  /** Forgets the connection. Events that were not taken yet stay. */
  protected forgetMonitor(): void {
    this.#client = undefined;
  }

  /** The error of a call that needs a monitor when there is none. */
  protected abstract whyNoMonitor(): QemuError;
}

const NEXT_EVENT_MS = 60_000;
