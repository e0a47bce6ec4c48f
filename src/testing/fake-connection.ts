import type { Duplex } from 'node:stream';
import { isRecord } from '../base/guards.ts';
import { FakeRefusal, NO_ANSWER, OUT_OF_BAND_COMMANDS, refuseArguments, wrongType } from './fake-refusal.ts';
import type { JsonInput } from './json-parser.ts';
import { JsonReader } from './json-reader.ts';
import { renderQemuJson } from './qemu-json.ts';

/** A command that a client sent. */
export interface FakeCall {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** As sent; undefined when there is none. */
  readonly id: unknown;
  /** Whether it came as `exec-oob`. */
  readonly outOfBand: boolean;
  readonly connection: FakeConnection;
}

/**
 * Answers a command: what it returns (or its promise) becomes `return`, a thrown {@link FakeRefusal} becomes `error`, and
 * {@link NO_ANSWER} sends nothing. Commands are not queued: whichever promise is fulfilled first is answered first.
 */
export type FakeCommand = (call: FakeCall) => unknown;

/** What a connection does. */
export interface FakeConnectionSetup {
  /** Bytes sent first; empty for a peer that never greets. */
  readonly greeting: string;
  readonly capabilities: readonly string[];
  readonly commands: Readonly<Record<string, FakeCommand>>;
  readonly onCall: (call: FakeCall) => void;
}

/**
 * The server's side of one client: answers as QEMU 7.2.22 does, and sends, keeps silent or hangs up when told to.
 *
 * @example
 * import { QmpClient } from 'qemu-init';
 * import { FakeQmpServer } from 'qemu-init/testing';
 *
 * const fake = await FakeQmpServer.start();
 * try {
 *   const client = await QmpClient.connect(fake.address);
 *   const shutdown = client.waitForEvent('SHUTDOWN');
 *   (await fake.connection()).sendEvent('SHUTDOWN', { guest: true, reason: 'guest-shutdown' });
 *   console.log((await shutdown).data.guest);
 *   await client.close();
 * } finally {
 *   await fake.close();
 * }
 */
export class FakeConnection {
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
  readonly #stream: Duplex;
  readonly #setup: FakeConnectionSetup;
  readonly #reader = new JsonReader((input) => this.#take(input));
  #isNegotiated = false;
  #enabled: readonly string[] = [];
  #unanswered = 0;
  #mostUnanswered = 0;

  constructor(stream: Duplex, setup: FakeConnectionSetup) {
    this.#stream = stream;
    this.#setup = setup;
    this.closed = new Promise((resolve) => {
      stream.once('close', resolve);
    });
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => this.#reader.push(chunk));
    stream.once('end', () => stream.end());
    if (setup.greeting !== '') this.send(setup.greeting);
  }

  /** Capabilities that the client enabled. */
  get enabledCapabilities(): readonly string[] {
    return this.#enabled;
  }

  /** The most in-band commands that ever waited for their answer at once. */
  get mostUnanswered(): number {
    return this.#mostUnanswered;
  }

  /** Sends bytes as they are. */
  send(bytes: string | Uint8Array): void {
    if (this.#stream.writable) this.#stream.write(bytes);
  }

  /** Sends the answer to a command, with a line end. */
  sendReturn(value: unknown, id: unknown): void {
    this.send(`${renderQemuJson({ return: value, id })}\r\n`);
  }

  /** Sends a refusal; `id` undefined is what QEMU's parser answers. */
  sendError(errorClass: string, desc: string, id?: unknown): void {
    this.send(`${renderQemuJson({ id, error: { class: errorClass, desc } })}\r\n`);
  }

  /** Sends an event of this moment. */
  sendEvent(event: string, data?: Readonly<Record<string, unknown>>): void {
    const nowMs = Date.now();
    const timestamp = { seconds: Math.floor(nowMs / 1000), microseconds: (nowMs % 1000) * 1000 };
    this.send(`${renderQemuJson({ timestamp, event, data })}\r\n`);
  }

  /** Reads no more, as a stopped process does; {@link resume} goes on. */
  pause(): void {
    this.#stream.pause();
  }

  /** Goes on reading after {@link pause}. */
  resume(): void {
    this.#stream.resume();
  }

  /** Ends the connection after what was sent. */
  hangUp(): void {
    this.#stream.end();
  }

  /** Ends the connection at once; the client sees ECONNRESET when it had sent something that was not read. */
  reset(): void {
    this.#stream.destroy();
  }

  #take(input: JsonInput): void {
    if (input.kind === 'error') this.sendError('GenericError', input.desc);
    else if (isRecord(input.value)) this.#execute(input.value);
    else this.sendError('GenericError', 'QMP input must be a JSON object');
  }

  #execute(input: Readonly<Record<string, unknown>>): void {
    const fault = findFault(input, this.#enabled.includes('oob'));
    if (fault !== undefined) {
      this.sendError('GenericError', fault, input['id']);
      return;
    }
    const outOfBand = 'exec-oob' in input;
    const call: FakeCall = {
      name: String(outOfBand ? input['exec-oob'] : input['execute']),
      args: isRecord(input['arguments']) ? { ...input['arguments'] } : {},
      id: input['id'],
      outOfBand,
      connection: this,
    };
    this.#setup.onCall(call);
    if (!outOfBand) {
      this.#unanswered += 1;
      this.#mostUnanswered = Math.max(this.#mostUnanswered, this.#unanswered);
    }
    void this.#answer(call);
  }

  async #answer(call: FakeCall): Promise<void> {
    try {
      const value = this.#run(call);
      // Awaited only when it must be, so that answers keep the order of their commands.
      const result: unknown = value instanceof Promise ? await value : value;
      if (result !== NO_ANSWER) this.sendReturn(result, call.id);
    } catch (error) {
      if (!(error instanceof FakeRefusal)) throw error;
      this.sendError(error.errorClass, error.message, call.id);
    }
    if (!call.outOfBand) this.#unanswered -= 1;
  }

  #run(call: FakeCall): unknown {
    if (!this.#isNegotiated && call.name !== 'qmp_capabilities') {
      throw new FakeRefusal('CommandNotFound', "Expecting capabilities negotiation with 'qmp_capabilities'");
    }
    const command = Object.hasOwn(this.#setup.commands, call.name) ? this.#setup.commands[call.name] : undefined;
    const isNegotiation = call.name === 'qmp_capabilities';
    if (command === undefined && !isNegotiation) {
      throw new FakeRefusal('CommandNotFound', `The command ${call.name} has not been found`);
    }
    if (call.outOfBand && !OUT_OF_BAND_COMMANDS.includes(call.name)) {
      throw new FakeRefusal('GenericError', `The command ${call.name} does not support OOB`);
    }
    if (command === undefined) return this.#negotiate(call.args);
    if (isNegotiation) {
      this.#isNegotiated = true;
      this.#enabled = readEnable(call.args);
    }
    return command(call);
  }

  #negotiate(args: Readonly<Record<string, unknown>>): unknown {
    if (this.#isNegotiated) {
      throw new FakeRefusal('CommandNotFound', 'Capabilities negotiation is already complete, command ignored');
    }
    const enable = readEnable(args);
    const unknown = enable.find((name) => !this.#setup.capabilities.includes(name));
    if (unknown !== undefined) {
      throw new FakeRefusal('GenericError', `Parameter 'null' does not accept value '${unknown}'`);
    }
    this.#isNegotiated = true;
    this.#enabled = enable;
    return {};
  }
}

const KNOWN_MEMBERS: readonly string[] = ['execute', 'exec-oob', 'arguments', 'id'];

/** @param allowsOutOfBand whether the client has enabled `oob`: without it the member is as unknown as any other. */
function findFault(input: Readonly<Record<string, unknown>>, allowsOutOfBand: boolean): string | undefined {
  if ('exec-oob' in input && !allowsOutOfBand) return "QMP input member 'exec-oob' is unexpected";
  for (const name of ['execute', 'exec-oob']) {
    if (name in input && typeof input[name] !== 'string') return `QMP input member '${name}' must be a string`;
  }
  if ('execute' in input && 'exec-oob' in input) return "QMP input member 'execute' clashes with 'exec-oob'";
  if ('arguments' in input && !isRecord(input['arguments'])) return "QMP input member 'arguments' must be an object";
  const unknown = Object.keys(input).find((name) => !KNOWN_MEMBERS.includes(name));
  if (unknown !== undefined) return `QMP input member '${unknown}' is unexpected`;
  return 'execute' in input || 'exec-oob' in input ? undefined : "QMP input lacks member 'execute'";
}

/** The argument of `qmp_capabilities`. */
function readEnable(args: Readonly<Record<string, unknown>>): string[] {
  const { enable = [], ...rest } = args;
  if (!Array.isArray(enable)) throw wrongType('enable', 'array');
  const names = enable.map((name: unknown, at) => {
    if (typeof name === 'string') return name;
    throw wrongType(`enable[${at}]`, 'string');
  });
  refuseArguments(rest);
  return names;
}
