import type { Duplex } from 'node:stream';
import { debuglog } from 'node:util';
import { QemuError, QmpRefusedError } from '../errors.ts';
import { LineSplitter } from './line-splitter.ts';
import { decodeMessage, encodeCommand, type QmpGreeting, type QmpMessage, type WireEvent } from './message.ts';
import type { QmpEnd } from './state.ts';

const debug = debuglog('qmp');

/** QEMU stops reading its input at 8 commands that wait for an answer, out-of-band commands behind them included. */
const MAX_IN_FLIGHT = 8;
/** Commands that wait for a place in flight; more than this is a program that does not await. */
const MAX_WAITING = 65_536;
/** How long closing waits until a peer that does not read has taken the rest. */
const FLUSH_MS = 1000;

/** What one command may take. */
export interface ExecuteOptions {
  /** Milliseconds until the answer, waiting for a place in flight included. 60 s if not given; `Infinity` for no limit. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Sends `exec-oob`: answered at once, even while another command blocks. Only for commands that allow it. */
  readonly outOfBand?: boolean | undefined;
}

/** What a session tells its owner. */
export interface SessionHandlers {
  readonly onEvent: (event: WireEvent) => void;
  /** Called once. */
  readonly onEnd: (end: QmpEnd) => void;
}

interface Command {
  readonly id: number;
  readonly name: string;
  readonly line: string;
  readonly outOfBand: boolean;
  /** The peer may hang up instead of answering. */
  readonly isQuit: boolean;
  resolve: (value: unknown) => void;
  reject: (error: QemuError) => void;
}

/** One connection, from its first byte to its end: framing, ids, answers. Knows no command but `quit`. */
export class QmpSession {
  readonly #stream: Duplex;
  readonly #handlers: SessionHandlers;
  readonly #splitter: LineSplitter;
  readonly #greeting: Promise<QmpGreeting>;
  #settleGreeting: { resolve: (greeting: QmpGreeting) => void; reject: (error: QemuError) => void } | undefined;
  #nextId = 1;
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

  /** The first message. Rejects with what ended the connection, QEMU_QMP_GREETING when it is no greeting. */
  greeting(): Promise<QmpGreeting> {
    return this.#greeting;
  }

  /** Sends a command, or lets it wait while 8 are in flight. See {@link QmpClient.executeRaw} for what it throws. */
  send(name: string, args: Readonly<Record<string, unknown>> | undefined, options: ExecuteOptions): Promise<unknown> {
    if (this.#end !== undefined) throw closedError(name, this.#end);
    if (options.signal?.aborted === true) throw abortedError(`Command "${name}" was aborted`, options.signal);
    if (this.#waiting.size >= MAX_WAITING) {
      throw new QemuError('QEMU_QMP_STATE', `Cannot execute "${name}": ${MAX_WAITING} commands are waiting already`);
    }
    const id = this.#nextId;
    const outOfBand = options.outOfBand === true;
    const line = encodeCommand(name, args, id, outOfBand);
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      const command: Command = { id, name, line, outOfBand, isQuit: isQuit(name, args), resolve, reject };
      this.#guard(command, options);
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
    this.#finish(end);
    this.#stream.destroy();
    this.#handlers.onEnd(end);
  }

  /** Flushes what was written and lets go. Pending calls are rejected at once. Resolves when the stream is gone. */
  async close(): Promise<void> {
    if (this.#end !== undefined) return;
    const end: QmpEnd = { kind: 'closed', error: undefined };
    this.#finish(end);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, FLUSH_MS);
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#stream.once('close', done);
      this.#stream.end(done);
    });
    this.#stream.destroy();
    this.#handlers.onEnd(end);
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
    const bytes = this.#splitter.partialBytes;
    if (bytes > 0) {
      this.fail(
        new QemuError('QEMU_QMP_PROTOCOL', `Peer closed the connection in the middle of a line (${bytes} bytes)`),
      );
    } else {
      this.fail(new QemuError('QEMU_QMP_CLOSED', 'Peer closed the connection'));
    }
  }

  #receive(line: string): void {
    // The rest of a chunk whose earlier line ended the connection.
    if (this.#end !== undefined) return;
    const message = decodeMessage(line);
    if (this.#settleGreeting !== undefined) {
      this.#receiveGreeting(message);
      return;
    }
    switch (message.kind) {
      case 'event':
        this.#handlers.onEvent(message.event);
        return;
      case 'greeting':
        debug('dropped a second greeting');
        return;
      default:
        this.#receiveReply(message);
    }
  }

  #receiveGreeting(message: QmpMessage): void {
    if (message.kind === 'greeting') {
      this.#settleGreeting?.resolve(message.greeting);
      this.#settleGreeting = undefined;
      return;
    }
    const why = message.kind === 'unclear' ? message.why : `it is of kind "${message.kind}"`;
    throw new QemuError('QEMU_QMP_GREETING', `First message of the peer is no QMP greeting: ${why}`, {
      hint: 'is this address a QMP monitor (mode=control), and not a human monitor or another service?',
    });
  }

  #receiveReply(message: Extract<QmpMessage, { kind: 'return' | 'error' | 'unclear' }>): void {
    if (message.kind === 'error' && message.id === undefined) {
      // Only the peer's parser answers without an id. Whose command it was is unknown, so nobody may get it as an answer.
      throw new QemuError('QEMU_QMP_PROTOCOL', `Peer could not read what was sent: ${message.desc}`);
    }
    const { id } = message;
    if (id === undefined || !this.#sent.has(id)) {
      debug('dropped an answer with unknown id %o', id);
      return;
    }
    const command = this.#sent.get(id);
    this.#sent.delete(id);
    this.#outOfBandIds.delete(id);
    if (command === undefined) debug('dropped the late answer to command %d', id);
    else settle(command, message);
    this.#writeWaiting();
  }

  /** Gives a command its deadline and its signal; whatever comes first settles it, and the others are let go. */
  #guard(command: Command, { timeoutMs = defaultTimeoutMs(command.line), signal }: ExecuteOptions): void {
    const { resolve, reject } = command;
    const giveUp = (error: QemuError): void => {
      // A sent command stays in flight for QEMU: its place is free again when its late answer comes.
      if (!this.#waiting.delete(command)) this.#sent.set(command.id, undefined);
      command.reject(error);
    };
    const onAbort = (): void => giveUp(abortedError(`Command "${command.name}" was aborted`, signal));
    const timer = Number.isFinite(timeoutMs)
      ? setTimeout(() => giveUp(timeoutError(command.name, timeoutMs)), timeoutMs)
      : undefined;
    signal?.addEventListener('abort', onAbort, { once: true });
    const release = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    command.resolve = (value) => {
      release();
      resolve(value);
    };
    command.reject = (error) => {
      release();
      reject(error);
    };
  }

  #writeWaiting(): void {
    if (this.#end !== undefined) return;
    for (const command of this.#waiting) {
      if (this.#isBlocked || this.#sent.size - this.#outOfBandIds.size >= MAX_IN_FLIGHT) return;
      this.#waiting.delete(command);
      this.#write(command);
    }
  }

  #write(command: Command): void {
    this.#sent.set(command.id, command);
    if (command.outOfBand) this.#outOfBandIds.add(command.id);
    if (command.isQuit) this.#wasQuitSent = true;
    this.#isBlocked = !this.#stream.write(command.line);
  }

  #unblock(): void {
    this.#isBlocked = false;
    this.#writeWaiting();
  }

  #finish(end: QmpEnd): void {
    this.#end = end;
    this.#settleGreeting?.reject(end.error ?? new QemuError('QEMU_QMP_CLOSED', 'Connection was closed'));
    const sent = [...this.#sent.values()];
    const waiting = [...this.#waiting];
    this.#sent.clear();
    this.#waiting.clear();
    for (const command of sent) {
      // SHUTDOWN, the answer and the end of the connection race each other when QEMU quits: each may be lost.
      if (command?.isQuit === true && end.kind === 'quit') command.resolve({});
      else command?.reject(closedError(command.name, end));
    }
    for (const command of waiting) command.reject(closedError(command.name, end));
  }
}

/** What a call gets whose connection has ended. */
export function closedError(command: string, end: QmpEnd): QemuError {
  return new QemuError('QEMU_QMP_CLOSED', `Connection ended before "${command}" was answered`, { cause: end.error });
}

/** What a call gets whose signal was aborted. */
export function abortedError(message: string, signal: AbortSignal | undefined): QemuError {
  return new QemuError('QEMU_ABORTED', message, { cause: signal?.reason });
}

function settle(command: Command, message: Extract<QmpMessage, { kind: 'return' | 'error' | 'unclear' }>): void {
  switch (message.kind) {
    case 'return':
      command.resolve(message.value);
      return;
    case 'error': {
      const { errorClass, desc, id } = message;
      command.reject(new QmpRefusedError({ errorClass, desc, command: command.name, id }));
      return;
    }
    case 'unclear':
      command.reject(new QemuError('QEMU_QMP_BAD_REPLY', `Bad answer to "${command.name}": ${message.why}`));
      return;
    default:
      message satisfies never;
  }
}

function timeoutError(command: string, timeoutMs: number): QemuError {
  return new QemuError('QEMU_TIMEOUT', `No answer to "${command}" within ${timeoutMs} ms`, {
    hint: 'QEMU may be busy, stopped by a signal, or waiting for its disk; it may still run the command',
  });
}

/** 60 s, and 10 µs for each byte to send: QEMU takes 4 to 5 µs to read one (7.2, one byte per system call). */
function defaultTimeoutMs(line: string): number {
  return 60_000 + Math.ceil(line.length / 100);
}

function isQuit(name: string, args: Readonly<Record<string, unknown>> | undefined): boolean {
  if (name === 'quit') return true;
  if (name !== 'human-monitor-command') return false;
  const commandLine = args?.['command-line'];
  return typeof commandLine === 'string' && /^\s*(?:q|quit)\s*$/.test(commandLine);
}
