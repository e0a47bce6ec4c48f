import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, chownSync, closeSync, openSync, statSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { type EndOptions, endsWithin } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import { childEnvironment } from '../process/environment.ts';
import { findProgram } from '../process/find-program.ts';
import { withoutInherited } from '../process/inherited.ts';
import { spawnError } from '../process/spawn-error.ts';
import { type Checksum, checksumOf } from './checksum.ts';
import { fileError } from './file-error.ts';
import { removeIfExists } from './files.ts';
import { flushPath } from './sync.ts';

/** Who may send, and where that goes. */
export interface ReceiveOptions {
  /** Path of the socket, in a folder that no other user can write to. */
  readonly socket: string;
  /** User who may connect; undefined: the caller. */
  readonly sender: { readonly uid: number; readonly gid: number } | undefined;
  /** The file, which must not exist yet. */
  readonly file: string;
}

/** Text of cat(1) is cut off there. */
const MOST_SAID = 1024;

/**
 * Receives what the first program that connects to a unix socket sends, into a file. cat(1) does the work, which takes
 * half of the processor time of streams; it ends with this process, so that the sender learns of that.
 */
export class SocketToFile {
  readonly #options: ReceiveOptions;
  readonly #server: Server;
  readonly #left = new AbortController();
  readonly #done: Promise<void>;
  #error: QemuError | undefined;
  #cat: ChildProcess | undefined;

  private constructor(options: ReceiveOptions) {
    this.#options = options;
    // Nothing of it is read here.
    this.#server = createServer({ pauseOnConnect: true });
    this.#done = new Promise<Socket>((resolve, reject) => {
      this.#server.on('connection', (socket) => this.#letIn(socket, resolve));
      this.#left.signal.addEventListener('abort', () => reject(this.#left.signal.reason));
    }).then((socket) => this.#write(socket));
    // It is awaited by `finish`; until then a failure must not count as one that nobody handles.
    this.#done.catch(() => {});
  }

  /**
   * Begins to listen.
   *
   * @throws {QemuError} `QEMU_IO`, `QEMU_NOT_PERMITTED` when the socket cannot be made.
   */
  static async listen(options: ReceiveOptions): Promise<SocketToFile> {
    const receiver = new SocketToFile(options);
    try {
      await receiver.#listen();
      return receiver;
    } catch (error) {
      await receiver.close();
      throw error instanceof QemuError ? error : fileError('make socket', options.socket, error);
    }
  }

  /** Bytes received until now. */
  get receivedBytes(): number {
    return statSync(this.#options.file, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Why nothing more is written, such as a full disk; undefined while all is well. */
  get failure(): QemuError | undefined {
    return this.#error;
  }

  /** Waits until the sender has closed its end or nothing more can be written; only so long. */
  async ended(limits: EndOptions): Promise<void> {
    await endsWithin(
      this.#done.catch(() => {}),
      limits,
    );
  }

  /**
   * Waits until the sender has closed its end and everything is flushed to the disk. Whether that was all, only the
   * sender knows.
   *
   * @throws {QemuError} `QEMU_IO`, `QEMU_NOT_PERMITTED` when it cannot be written; `QEMU_NOT_INSTALLED`.
   */
  async finish(): Promise<Checksum> {
    await this.#done;
    const { file } = this.#options;
    // What is being flushed is still in the cache of the host.
    const [checksum] = await Promise.all([checksumOf(file, this.#left.signal), this.#flush()]);
    return checksum;
  }

  async #flush(): Promise<void> {
    const { file } = this.#options;
    try {
      await flushPath(file);
    } catch (error) {
      throw fileError('write', file, error);
    }
  }

  /** Ends it at any time; the file stays as it is. May be called twice. */
  async close(): Promise<void> {
    this.#server.close();
    this.#left.abort(new QemuError('QEMU_ABORTED', 'Receiving was ended'));
    this.#cat?.kill('SIGKILL');
    await this.#done.catch(() => {});
    removeIfExists(this.#options.socket);
  }

  #listen(): Promise<void> {
    const { socket, sender } = this.#options;
    removeIfExists(socket);
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(socket, () => {
        try {
          chmodSync(socket, 0o600);
          if (sender !== undefined) chownSync(socket, sender.uid, sender.gid);
          resolve();
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #hasSender = false;

  /** There is one sender. */
  #letIn(connection: Socket, take: (connection: Socket) => void): void {
    if (this.#hasSender) connection.destroy();
    else take(connection);
    this.#hasSender = true;
    this.#server.close();
  }

  async #write(socket: Socket): Promise<void> {
    try {
      await this.#runCat(socket);
    } catch (error) {
      this.#error = error instanceof QemuError ? error : fileError('write', this.#options.file, error);
      throw this.#error;
    } finally {
      socket.destroy();
    }
  }

  #runCat(socket: Socket): Promise<void> {
    const leash = findProgram('setpriv') === undefined ? [] : ['setpriv', '--pdeathsig', 'KILL', '--'];
    const [program, ...args] = [...leash, 'cat'] as const;
    const file = openSync(this.#options.file, 'wx', 0o600);
    let said = '';
    return new Promise<void>((resolve, reject) => {
      const cat = withoutInherited([socket, file, 'pipe'], (stdio) =>
        spawn(program, args, { stdio, env: childEnvironment({ LC_ALL: 'C' }) }),
      );
      this.#cat = cat;
      cat.stderr?.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(0, MOST_SAID);
      });
      cat.once('error', (error) => reject(spawnError(error, 'cat')));
      cat.once('close', (code, signal) => (code === 0 ? resolve() : reject(writeError(said.trim(), signal))));
      // cat has its own copy, and the sender must see the end of that.
      cat.once('spawn', () => socket.destroy());
    }).finally(() => closeSync(file));
  }
}

/** What went wrong, with the code of errno(3) as far as it leads to a hint. */
function writeError(said: string, signal: NodeJS.Signals | null): Error {
  const error = new Error(said === '' ? `cat was ended by ${signal}` : said);
  const code = /No space left on device/.test(said) ? 'ENOSPC' : /quota exceeded/.test(said) ? 'EDQUOT' : undefined;
  return code === undefined ? error : Object.assign(error, { code });
}
