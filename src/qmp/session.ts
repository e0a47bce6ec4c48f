import type { Duplex } from 'node:stream';
import { debuglog } from 'node:util';
import { checkTimeout } from '../base/abort.ts';
import { QemuError } from '../base/errors.ts';
import {
  type Answer,
  abortedError,
  type Command,
  closedError,
  defaultTimeoutMs,
  type ExecuteOptions,
  guardCommand,
  isQuitCommand,
  settleCommand,
} from './command.ts';
import { Deadlines } from './deadlines.ts';
import { LineSplitter } from './line-splitter.ts';
import { decodeMessage, encodeCall, type QmpGreeting, type QmpMessage, type WireEvent, withId } from './message.ts';
import type { QmpEnd } from './state.ts';

const debug = debuglog('qmp');

/** QEMU stops reading its input at 8 commands that wait for an answer, including out-of-band commands after them. */
const MAX_IN_FLIGHT = 8;
/** Commands that wait for a place in flight; more than this is a program that does not await. */
const MAX_WAITING = 16_384;
/** How long closing waits until a peer that does not read has taken the rest. */
const FLUSH_MS = 1000;

/** What a session reports to its owner. */
export interface SessionHandlers {
  readonly onEvent: (event: WireEvent) => void;
  /** Called once. */
  readonly onEnd: (end: QmpEnd) => void;
}

/** One connection, from its first byte to its end: framing, ids, answers. Knows no command but `quit`. */
export class QmpSession {
  readonly #stream: Duplex;
  readonly #handlers: SessionHandlers;
  readonly #splitter: LineSplitter;
  readonly #greeting: Promise<QmpGreeting>;
  #settleGreeting: { resolve: (greeting: QmpGreeting) => void; reject: (error: QemuError) => void } | undefined;
  #lastId = 0;
  readonly #deadlines = new Deadlines();
  /** Sent and not answered; undefined for a command that was given up and whose late answer is to be dropped. */
  readonly #sent = new Map<number, Command | undefined>();
  /** Out-of-band commands among {@link #sent}: they have no part in the limit. */
  readonly #outOfBandIds = new Set<number>();
  readonly #waiting = new Set<Command>();
  #isBlocked = false;
  #wasQuitSent = false;
  #end: QmpEnd | undefined;

  /** @param maxLineBytes longest line that is accepted from the peer. */
  constructor(stream: Duplex, maxLineBytes: number, handlers: SessionHandlers) {
    this.#stream = stream;
    this.#handlers = handlers;
    this.#splitter = new LineSplitter(maxLineBytes, (line) => this.#receive(line));
    this.#greeting = new Promise((resolve, reject) => {
      this.#settleGreeting = { resolve, reject };
    });
    this.#greeting.catch(() => {});
    stream.on('data', (chunk: Buffer | string) => this.#read(chunk));
    stream.on('drain', () => this.#unblock());
    stream.once('end', () => this.#hangUp());
    stream.once('close', () => this.#hangUp());
    // Stays for good: QEMU's exit gives ECONNRESET and EPIPE, each of which would end the process when not listened to.
    stream.on('error', (cause) => this.fail(new QemuError('QEMU_QMP_CLOSED', 'Connection broke', { cause })));
    if (stream.destroyed || stream.readableEnded) queueMicrotask(() => this.#hangUp());
  }

  /** How it ended; undefined while it lives. */
  get end(): QmpEnd | undefined {
    return this.#end;
  }

  /** The first message. Rejects with what ended the connection, QEMU_QMP_GREETING when it is not a greeting. */
  greeting(): Promise<QmpGreeting> {
    return this.#greeting;
  }

  /** Sends a command, or lets it wait while 8 are in flight. See {@link QmpClient.execute} for what it throws. */
  send(name: string, args: object | undefined, options: ExecuteOptions): Promise<unknown> {
    const { outOfBand = false, signal } = options;
    if (this.#end !== undefined) throw closedError(name, this.#end);
    if (signal?.aborted === true) throw abortedError(`Command "${name}" was aborted`, signal);
    if (this.#waiting.size >= MAX_WAITING) {
      throw new QemuError('QEMU_QMP_STATE', `Cannot execute "${name}": ${MAX_WAITING} commands are waiting already`);
    }
    const call = encodeCall(name, args, outOfBand);
    const timeoutMs = checkTimeout(options.timeoutMs === undefined ? defaultTimeoutMs(call) : options.timeoutMs);
    return new Promise((resolve, reject) => {
      const giveUp = (error: QemuError): void => {
        // A sent command stays in flight for QEMU: its place is free again when its late answer comes.
        if (!this.#waiting.delete(command)) this.#sent.set(command.id, undefined);
        command.reject(error);
      };
      const guarded = guardCommand(name, { resolve, reject }, { timeoutMs, signal }, this.#deadlines, giveUp);
      const command: Command = { id: 0, name, call, outOfBand, isQuit: isQuitCommand(name, args), ...guarded };
      if (outOfBand) {
        this.#write(command);
      } else {
        this.#waiting.add(command);
        this.#writeWaiting();
      }
    });
  }

  /** Ends the connection because of `error`; every pending call is settled before this returns. */
  fail(error: QemuError): void {
    if (this.#end !== undefined) return;
    const end: QmpEnd = this.#wasQuitSent ? { kind: 'quit', error: undefined } : { kind: 'lost', error };
    this.#settleAll(end);
    this.#stream.destroy();
    this.#handlers.onEnd(end);
  }

  /** Flushes what was written and lets go. Pending calls are rejected at once. Resolves when the stream is gone. */
  async close(): Promise<void> {
    if (this.#end !== undefined) return;
    const end: QmpEnd = { kind: 'closed', error: undefined };
    // A peer that has answered everything has read everything: nothing is left to be flushed.
    const isIdle = this.#sent.size === 0 && this.#stream.writableLength === 0;
    this.#settleAll(end);
    await (isIdle ? undefined : this.#flush());
    this.#stream.destroy();
    this.#handlers.onEnd(end);
  }

  async #flush(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, FLUSH_MS);
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#stream.once('close', done);
      this.#stream.end(done);
    });
  }

  #read(chunk: Buffer | string): void {
    if (this.#end !== undefined) return;
    try {
      this.#splitter.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    } catch (error) {
      if (!(error instanceof QemuError)) throw error;
      this.fail(error);
    }
  }

  #hangUp(): void {
    if (this.#end !== undefined) return;
    const bytes = this.#splitter.partialBytes;
    if (bytes > 0) {
      this.fail(new QemuError('QEMU_QMP_PROTOCOL', `Peer closed the connection within a line, after ${bytes} bytes`));
    } else {
      this.fail(new QemuError('QEMU_QMP_CLOSED', 'Peer closed the connection'));
    }
  }

  #receive(line: string): void {
    // The rest of a chunk whose earlier line ended the connection.
    if (this.#end !== undefined) return;
    const message = decodeMessage(line);
    // QEMU 7.2 sends what happens between a connection and its greeting to that connection already, though rarely.
    if (message.kind === 'event') {
      this.#handlers.onEvent(message);
      return;
    }
    if (this.#settleGreeting !== undefined) {
      this.#receiveGreeting(message);
      return;
    }
    switch (message.kind) {
      case 'greeting':
        debug('dropped a second greeting');
        return;
      default:
        this.#receiveAnswer(message);
    }
  }

  #receiveGreeting(message: QmpMessage): void {
    if (message.kind === 'greeting') {
      this.#settleGreeting?.resolve(message.greeting);
      this.#settleGreeting = undefined;
      return;
    }
    const why = message.kind === 'unclear' ? message.why : `it is of kind "${message.kind}"`;
    throw new QemuError('QEMU_QMP_GREETING', `First message of the peer is not a QMP greeting: ${why}`, {
      hint: 'is this address a QMP monitor (mode=control), and not a human monitor or another service?',
    });
  }

  #receiveAnswer(answer: Answer): void {
    const { id } = answer;
    if (answer.kind === 'error' && id === undefined) {
      // Only the peer's parser answers without an id. It is unknown whose command it was, so no caller gets it.
      throw new QemuError('QEMU_QMP_PROTOCOL', `Peer could not read what was sent: ${answer.desc}`);
    }
    if (id === undefined || !this.#sent.has(id)) {
      debug('dropped an answer with unknown id %o', id);
      return;
    }
    const command = this.#sent.get(id);
    this.#sent.delete(id);
    this.#outOfBandIds.delete(id);
    if (command === undefined) debug('dropped the late answer to command %d', id);
    else settleCommand(command, answer);
    this.#writeWaiting();
  }

  #writeWaiting(): void {
    for (const command of this.#waiting) {
      if (this.#isBlocked || this.#sent.size - this.#outOfBandIds.size >= MAX_IN_FLIGHT) return;
      this.#waiting.delete(command);
      this.#write(command);
    }
  }

  #write(command: Command): void {
    command.id = this.#takeId();
    this.#sent.set(command.id, command);
    if (command.outOfBand) this.#outOfBandIds.add(command.id);
    if (command.isQuit) this.#wasQuitSent = true;
    if (!this.#stream.write(withId(command.call, command.id))) this.#isBlocked = true;
  }

  /** Short, since QEMU reads one byte per system call. One that was answered comes again last. */
  #takeId(): number {
    const most = 10 ** String(this.#sent.size + 1).length - 1;
    do this.#lastId = this.#lastId < most ? this.#lastId + 1 : 1;
    while (this.#sent.has(this.#lastId));
    return this.#lastId;
  }

  #unblock(): void {
    this.#isBlocked = false;
    this.#writeWaiting();
  }

  #settleAll(end: QmpEnd): void {
    this.#end = end;
    this.#settleGreeting?.reject(end.error ?? new QemuError('QEMU_QMP_CLOSED', 'Connection was closed'));
    const commands = [...this.#sent.values(), ...this.#waiting];
    this.#sent.clear();
    this.#waiting.clear();
    for (const command of commands) {
      // SHUTDOWN, the answer and the end of the connection race each other when QEMU quits: each may be lost.
      if (command?.isQuit === true && end.kind === 'quit') command.resolve({});
      else command?.reject(closedError(command.name, end));
    }
    this.#deadlines.close();
  }
}
