import type { Duplex } from 'node:stream';
import { abortError, checkTimeout, listenForAbort, startDeadline, untilAborted } from '../../base/abort.ts';
import { QemuError, QmpRefusedError } from '../../base/errors.ts';
import { checkWholeNumber } from '../../base/guards.ts';
import { decodeMessage, encodeCommand, type QmpMessage } from '../message.ts';
import type { AgentCommandOptions, AgentDialogue } from './agent-dialogue.ts';
import { AgentLines, DELIMITER } from './agent-lines.ts';

/** Limits of a session. */
export interface AgentSessionOptions {
  /**
   * Longest answer to accept, in bytes; default: 48 MiB: an agent cuts either output of a program at 16 MiB, which
   * base64 makes 22.
   */
  readonly maxLineBytes?: number | undefined;
}

const MAX_LINE_BYTES = 48 * 1024 * 1024;
/** An agent that is there answers most commands in milliseconds. */
const DEFAULT_TIMEOUT_MS = 5_000;
/** What is shown of a sentence of the guest's. */
const MOST_SENTENCE = 1_000;

/** Codes of commands that may still be done after their end. */
const GIVEN_UP: readonly string[] = ['QEMU_TIMEOUT', 'QEMU_ABORTED', 'QEMU_QMP_PROTOCOL'];

/** What is being waited for. */
interface Pending {
  readonly take: (message: QmpMessage | undefined) => void;
  readonly fail: (error: QemuError) => void;
}

/** What a line comes to; undefined for one that is about something else. */
type Judge<T> = (message: QmpMessage) => { readonly value: T } | undefined;

/**
 * The dialogue with a guest agent: one command at a time. Before the first one, and after each that was given up, both sides
 * agree on where they are, so that no late answer is taken for that of another command (`guest-sync-delimited`, QEMU Guest
 * Agent Protocol Reference).
 */
export class AgentSession implements AgentDialogue {
  readonly #stream: Duplex;
  readonly #lines: AgentLines;
  #turn: Promise<unknown> = Promise.resolve();
  #lastId = 0;
  #isInStep = false;
  /** Whether the agent repeats ids; old ones do not. */
  #repeatsIds = false;
  #pending: Pending | undefined;
  #end: QemuError | undefined;

  /** @throws {QemuError} `QEMU_USAGE` for a limit that is not a whole number from 1. */
  constructor(stream: Duplex, { maxLineBytes = MAX_LINE_BYTES }: AgentSessionOptions = {}) {
    checkWholeNumber(maxLineBytes, 'maxLineBytes', 1);
    this.#stream = stream;
    this.#lines = new AgentLines(maxLineBytes, {
      onLine: (line) => this.#onLine(line),
      onTooLong: (cause) => this.#loseStep(protocolError('sent an answer that is too long', cause)),
    });
    stream.on('data', (chunk: Buffer) => this.#lines.push(chunk));
    stream.on('error', (cause) => this.#close(closedError(cause)));
    stream.on('end', () => this.#close(closedError()));
    stream.on('close', () => this.#close(closedError()));
  }

  /** Agrees with the agent on where both are. @throws {QemuError} as {@link execute}. */
  async synchronize(options: AgentCommandOptions = {}): Promise<void> {
    await this.#inTurn('guest-sync-delimited', options, async () => {});
  }

  /** See {@link AgentDialogue.execute}. */
  execute(command: string, args?: object, options: AgentCommandOptions = {}): Promise<unknown> {
    return this.#inTurn(command, options, (stop) => {
      const id = this.#nextId();
      return this.#exchange(encodeCommand(command, args, id), stop, (message) => {
        if (message.kind === 'event' || message.kind === 'greeting' || !this.#isAbout(id, message)) return undefined;
        if (message.kind === 'return') return { value: message.value };
        throw message.kind === 'error' ? refusal(command, id, message) : badReply(command, message.why);
      });
    });
  }

  /** See {@link AgentDialogue.executeOrUndo}. */
  async executeOrUndo(
    command: string,
    args: object | undefined,
    undo: string,
    options: AgentCommandOptions,
  ): Promise<unknown> {
    try {
      return await this.execute(command, args, options);
    } catch (error) {
      const isGivenUp = error instanceof QemuError && GIVEN_UP.includes(error.code);
      if (isGivenUp && !this.#end) this.#stream.write(encodeCommand(undo, undefined, this.#nextId()));
      throw error;
    }
  }

  /** See {@link AgentDialogue.executeSilent}. */
  executeSilent(command: string, args?: object, options: AgentCommandOptions = {}): Promise<void> {
    return this.#inTurn(command, options, async (stop) => {
      const [id, next] = [this.#nextId(), this.#nextId()];
      const text = encodeCommand(command, args, id) + encodeCommand('guest-ping', undefined, next);
      try {
        await this.#exchange(text, stop, (message) => {
          if (message.kind === 'error' && this.#isAbout(id, message)) throw refusal(command, id, message);
          return message.kind === 'return' && this.#isAbout(next, message) ? { value: undefined } : undefined;
        });
      } catch (error) {
        if (!(error instanceof QemuError) || error.code !== 'QEMU_QMP_CLOSED') throw error;
      } finally {
        // The answer to the ping may still be on its way.
        this.#isInStep = false;
      }
    });
  }

  close(): void {
    this.#close(new QemuError('QEMU_QMP_CLOSED', 'Connection to the guest agent was closed'));
    this.#stream.destroy();
  }

  async #inTurn<T>(command: string, options: AgentCommandOptions, body: (stop: AbortSignal) => Promise<T>): Promise<T> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
    checkTimeout(timeoutMs);
    if (signal?.aborted) throw abortError(signal);
    const stop = new AbortController();
    const timer = startDeadline(timeoutMs, () => stop.abort(lateError(command, timeoutMs)));
    const ignoreSignal = listenForAbort(signal, () => stop.abort(abortError(signal)));
    const run = this.#turn.then(async () => {
      stop.signal.throwIfAborted();
      if (!this.#isInStep) await this.#getInStep(stop.signal);
      return body(stop.signal);
    });
    this.#turn = run.catch(() => {});
    try {
      return await untilAborted(run, stop.signal);
    } catch (error) {
      throw stop.signal.aborted ? stop.signal.reason : error;
    } finally {
      clearTimeout(timer);
      ignoreSignal();
    }
  }

  async #getInStep(stop: AbortSignal): Promise<void> {
    // Whoever asked before had another number: no secret, but a guest that lies about it could lie about all else as well.
    const mark = 1 + Math.floor(Math.random() * (2 ** 31 - 2));
    const id = this.#nextId();
    this.#lines.seek();
    this.#stream.write(Buffer.from([DELIMITER]));
    const text = encodeCommand('guest-sync-delimited', { id: mark }, id);
    this.#repeatsIds = await this.#exchange(text, stop, (message) => {
      if (message.kind === 'return' && message.value === mark) return { value: message.id === id };
      this.#lines.seek();
      return undefined;
    });
    this.#isInStep = true;
  }

  /** Whether a message is the answer to the command with that id. Without ids, the next one is. */
  #isAbout(id: number, message: QmpMessage): boolean {
    if (!('id' in message)) return false;
    return message.id === id || (message.id === undefined && !this.#repeatsIds);
  }

  #exchange<T>(text: string, stop: AbortSignal, judge: Judge<T>): Promise<T> {
    if (this.#end) return Promise.reject(this.#end);
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        ignore();
        this.#pending = undefined;
      };
      const fail = (error: QemuError): void => {
        settle();
        reject(error);
      };
      const take = (message: QmpMessage | undefined): void => {
        const judged = message && judge(message);
        if (!judged) return;
        settle();
        resolve(judged.value);
      };
      const ignore = listenForAbort(stop, () => this.#loseStep(stop.reason));
      this.#pending = { take, fail };
      this.#stream.write(text);
    });
  }

  #onLine(line: string): void {
    const pending = this.#pending;
    if (!pending) return;
    try {
      pending.take(decodeMessage(line));
    } catch (error) {
      if (!(error instanceof QemuError)) throw error;
      // What is not JSON may be the rest of anything: all before the next delimiter is thrown away.
      if (error.code !== 'QEMU_QMP_PROTOCOL') pending.fail(error);
      else if (this.#isInStep) this.#loseStep(protocolError('does not speak its protocol', error));
      else this.#lines.seek();
    }
  }

  /** Ends the command that is being waited for; its answer may still come. */
  #loseStep(error: QemuError): void {
    this.#isInStep = false;
    this.#lines.seek();
    this.#pending?.fail(error);
  }

  #close(error: QemuError): void {
    this.#end ??= error;
    this.#pending?.fail(this.#end);
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }
}

/** The answer of an agent that does not fit its command. */
export function badReply(command: string, why: string): QemuError {
  return new QemuError('QEMU_QMP_BAD_REPLY', `Guest agent gave no valid answer to "${command}": ${why}`);
}

function refusal(command: string, id: number, message: Extract<QmpMessage, { kind: 'error' }>): QmpRefusedError {
  const desc = message.desc.slice(0, MOST_SENTENCE);
  return new QmpRefusedError({ errorClass: message.errorClass, desc, command, id, by: 'Guest agent' });
}

function protocolError(what: string, cause: unknown): QemuError {
  return new QemuError('QEMU_QMP_PROTOCOL', `Guest agent ${what}`, { cause });
}

function closedError(cause?: unknown): QemuError {
  return new QemuError('QEMU_QMP_CLOSED', 'Connection to the guest agent ended', { cause });
}

function lateError(command: string, timeoutMs: number): QemuError {
  const message = `Guest agent did not answer "${command}" within ${Math.round(timeoutMs)} ms`;
  return new QemuError('QEMU_TIMEOUT', message, {
    hint: 'the guest may be paused, have no agent that runs, or serve another client: it serves one at a time',
  });
}
