import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** Most bytes that are kept for a reader who does not take them. */
const KEPT_BYTES = 1024 * 1024;

/**
 * A socket that is always read, so that its peer never has to wait. Unread data is kept up to 1 MiB; after that the
 * oldest is dropped.
 */
export class DrainedSocket extends Duplex {
  readonly #socket: Socket;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #dropped = 0;
  #isWanted = false;
  #isOver = false;

  constructor(socket: Socket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    // A peer that is killed resets the connection: for a reader that is an end like any other.
    socket.on('error', () => this.#finish());
    socket.on('close', () => this.#finish());
    // Everything was read, and the peer that could be written to is gone.
    this.once('end', () => this.destroy());
  }

  /** Bytes dropped because they were not read in time. */
  get droppedBytes(): number {
    return this.#dropped;
  }

  /** Leaving a loop over it keeps it: the next loop goes on where this one ended. */
  override [Symbol.asyncIterator](): NodeJS.AsyncIterator<Buffer> {
    return this.iterator({ destroyOnReturn: false });
  }

  override _read(): void {
    this.#isWanted = true;
    this.#flush();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // A writer learns from the end of the stream that its peer is gone.
    if (this.#socket.writable) this.#socket.write(chunk, () => done());
    else done();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes > KEPT_BYTES && this.#chunks.length > 1) {
      const oldest = this.#chunks.shift()?.length ?? 0;
      this.#bytes -= oldest;
      this.#dropped += oldest;
    }
    this.#flush();
  }

  #finish(): void {
    this.#isOver = true;
    this.#flush();
  }

  #flush(): void {
    while (this.#isWanted) {
      const chunk = this.#chunks.shift();
      if (chunk === undefined) break;
      this.#bytes -= chunk.length;
      this.#isWanted = this.push(chunk);
    }
    if (this.#isOver && this.#chunks.length === 0 && !this.readableEnded) this.push(null);
  }
}
