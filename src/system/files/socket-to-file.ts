import { chmodSync, chownSync, createWriteStream } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { QemuError } from '../../base/errors.ts';
import { fileError } from './file-error.ts';
import { removeIfExists } from './files.ts';

/** Who may send, and where that goes. */
export interface ReceiveOptions {
  /** Path of the socket, in a folder that no other user can write to. */
  readonly socket: string;
  /** User who may connect; undefined: the caller. */
  readonly sender: { readonly uid: number; readonly gid: number } | undefined;
  /** The file, which must not exist yet. */
  readonly file: string;
}

/** A whole stream that is on the disk. */
export interface Received {
  readonly sizeBytes: number;
  /** CRC-32 of all of it, as of zlib. */
  readonly crc32: number;
}

/** Bytes that may wait to be written before the sender is made to wait. */
const MOST_WAITING = 8 * 1024 * 1024;

/** Receives what the first program that connects to a unix socket sends, into a file. */
export class SocketToFile {
  readonly #options: ReceiveOptions;
  readonly #server: Server;
  readonly #left = new AbortController();
  readonly #done: Promise<void>;
  #sizeBytes = 0;
  #crc = 0;
  #error: QemuError | undefined;
  #hasSender = false;

  private constructor(options: ReceiveOptions) {
    this.#options = options;
    this.#server = createServer();
    this.#done = new Promise<Socket>((resolve, reject) => {
      this.#server.once('connection', resolve);
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
    return this.#sizeBytes;
  }

  /** Why nothing more is written, such as a full disk; undefined while all is well. */
  get failure(): QemuError | undefined {
    return this.#error;
  }

  /**
   * Waits until the sender has closed its end and everything is flushed to the disk. Whether that was all, only the
   * sender knows.
   *
   * @throws {QemuError} `QEMU_IO`, `QEMU_NOT_PERMITTED` when it cannot be written.
   */
  async finish(): Promise<Received> {
    await this.#done;
    return { sizeBytes: this.#sizeBytes, crc32: this.#crc };
  }

  /** Ends it at any time; the file stays as it is. May be called twice. */
  async close(): Promise<void> {
    this.#server.close();
    this.#left.abort(new QemuError('QEMU_ABORTED', 'Receiving was ended'));
    await this.#done.catch(() => {});
    removeIfExists(this.#options.socket);
  }

  #listen(): Promise<void> {
    const { socket, sender } = this.#options;
    removeIfExists(socket);
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.on('connection', (connection) => this.#letIn(connection));
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

  /** There is one sender. */
  #letIn(connection: Socket): void {
    if (this.#hasSender) connection.destroy();
    this.#hasSender = true;
    this.#server.close();
  }

  async #write(socket: Socket): Promise<void> {
    const { file } = this.#options;
    const target = createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true, highWaterMark: MOST_WAITING });
    target.once('error', (error) => {
      this.#error ??= fileError('write', file, error);
    });
    socket.on('data', (data: Buffer) => {
      this.#sizeBytes += data.length;
      this.#crc = crc32(data, this.#crc);
    });
    try {
      await pipeline(socket, target, { signal: this.#left.signal });
    } catch (error) {
      throw this.#error ?? (error instanceof QemuError ? error : fileError('write', file, error));
    }
  }
}
