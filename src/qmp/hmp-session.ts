import type { Duplex } from 'node:stream';
import { listenForAbort, startDeadline } from '../base/abort.ts';
import { QemuError } from '../base/errors.ts';
import type { QmpAddress } from './address.ts';
import type { ExecuteOptions } from './command.ts';
import { describeAddress, openStream } from './transport.ts';

/** QEMU's prompt. It is printed when a command is done, and nothing after it until the next one is typed. */
const PROMPT = '(qemu) ';
/** More than any command prints. */
const MOST_BYTES = 16 * 1024 * 1024;
/** QEMU's line editor takes no more (READLINE_CMD_BUF_SIZE). */
const LONGEST_COMMAND = 4095;

/** How a session is opened. */
export interface HmpSessionOptions extends ExecuteOptions {
  /** Longest answer that is taken; default: 16 MiB. */
  readonly maxBytes?: number | undefined;
}

/**
 * A session with a human monitor, typed as a person would: for when no QMP monitor can be had.
 *
 * @example
 * const session = await HmpSession.open({ kind: 'tcp', host: '127.0.0.1', port: 30320 }, { timeoutMs: 1000 });
 * console.log(await session.run('info status', { timeoutMs: 1000 }));
 */
export class HmpSession {
  readonly #stream: Duplex;
  readonly #where: string;
  readonly #maxBytes: number;
  #text = '';
  #failure: QemuError | undefined;
  #look: () => void = () => {};

  private constructor(stream: Duplex, where: string, maxBytes: number) {
    this.#stream = stream;
    this.#maxBytes = maxBytes;
    this.#where = where;
    stream.on('data', (chunk: Buffer | string) => this.#take(chunk.toString()));
    stream.on('error', (cause) => this.#fail('broke', cause));
    for (const name of ['end', 'close']) stream.once(name, () => this.#fail('ended'));
  }

  /**
   * Connects and waits for the prompt.
   *
   * @throws {QemuError} `QEMU_QMP_CONNECT`, `QEMU_QMP_CLOSED`, `QEMU_TIMEOUT`, `QEMU_ABORTED`, `QEMU_QMP_PROTOCOL`.
   */
  static async open(address: QmpAddress, options: HmpSessionOptions): Promise<HmpSession> {
    const { timeoutMs = 5_000, signal, maxBytes = MOST_BYTES } = options;
    const late = AbortSignal.timeout(Math.min(Math.ceil(timeoutMs), 2 ** 31 - 1));
    const where = describeAddress(address);
    let stream: Duplex;
    try {
      stream = await openStream(address, { retry: false, signal: signal ? AbortSignal.any([signal, late]) : late });
    } catch (error) {
      throw late.aborted ? timeoutError(where) : error;
    }
    const session = new HmpSession(stream, where, maxBytes);
    try {
      await session.#prompt(options);
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  /**
   * Types a command and returns what QEMU prints, without the echo and with plain line feeds.
   *
   * @throws {QemuError} as {@link open}; `QEMU_USAGE` for what cannot be typed as one line.
   */
  async run(command: string, options: ExecuteOptions): Promise<string> {
    if (/\p{Cc}/u.test(command) || command.length > LONGEST_COMMAND) {
      throw new QemuError('QEMU_USAGE', 'A command of the human monitor is one line without control characters');
    }
    this.#text = '';
    this.#stream.write(`${command}\n`);
    const printed = await this.#prompt(options);
    // The echo, which QEMU edits on its line, ends with the line.
    return printed.slice(printed.indexOf('\n') + 1).replaceAll('\r\n', '\n');
  }

  /** Leaves the monitor. QEMU goes on. */
  async close(): Promise<void> {
    this.#stream.destroy();
  }

  /** What was printed before the next prompt. */
  #prompt({ timeoutMs = 60_000, signal }: ExecuteOptions): Promise<string> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        clearTimeout(timer);
        ignoreSignal();
        this.#look = () => {};
        finish();
      };
      const timer = startDeadline(timeoutMs, () => settle(() => reject(timeoutError(this.#where))));
      const ignoreSignal = listenForAbort(signal, () =>
        settle(() => reject(new QemuError('QEMU_ABORTED', 'Interrupted', { cause: signal?.reason }))),
      );
      this.#look = () => {
        const failure = this.#failure;
        if (this.#text.endsWith(PROMPT)) settle(() => resolve(this.#text.slice(0, -PROMPT.length)));
        else if (failure) settle(() => reject(failure));
      };
      this.#look();
    });
  }

  #take(text: string): void {
    if (this.#text.length + text.length > this.#maxBytes) {
      this.#failure ??= new QemuError('QEMU_QMP_PROTOCOL', `Monitor at "${this.#where}" sends too much`);
      this.#stream.destroy();
    } else {
      this.#text += text;
    }
    this.#look();
  }

  #fail(how: string, cause?: Error): void {
    this.#failure ??= new QemuError('QEMU_QMP_CLOSED', `Connection to "${this.#where}" ${how}`, { cause });
    this.#look();
  }
}

function timeoutError(where: string): QemuError {
  return new QemuError('QEMU_TIMEOUT', `Monitor at "${where}" gave no answer in time`, {
    hint: 'another client may hold it, or QEMU is busy or stopped by a signal',
  });
}
