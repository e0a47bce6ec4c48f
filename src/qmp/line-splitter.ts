import { QemuError } from '../errors.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** A buffer that grew beyond this is given back after its line. */
const KEPT_BYTES = 65_536;

/**
 * Cuts a stream of bytes into lines, wherever the stream was cut. Bytes are joined before they are decoded, so a
 * UTF-8 sequence may come in pieces; each byte is looked at once and copied a bounded number of times.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  readonly #onLine: (line: string) => void;
  #partial: Buffer = Buffer.alloc(0);
  #partialBytes = 0;

  /** @param maxBytes longest line that is accepted. */
  constructor(maxBytes: number, onLine: (line: string) => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
  }

  /** Bytes of the line that has begun and not ended. */
  get partialBytes(): number {
    return this.#partialBytes;
  }

  /**
   * Takes the next bytes and hands out each line that they complete, without its line end; blank lines are skipped.
   *
   * @throws {QemuError} QEMU_QMP_PROTOCOL when a line is longer than allowed, after the lines before it were handed out.
   */
  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      this.#finish(chunk, start, end);
      start = end + 1;
    }
    if (start < chunk.length) this.#append(chunk, start, chunk.length);
  }

  #finish(chunk: Buffer, start: number, end: number): void {
    if (this.#partialBytes === 0) {
      this.#checkLength(end - start);
      this.#emit(chunk, start, end);
      return;
    }
    this.#append(chunk, start, end);
    const line = this.#partial;
    const bytes = this.#partialBytes;
    this.#partialBytes = 0;
    if (line.length > KEPT_BYTES) this.#partial = Buffer.alloc(0);
    this.#emit(line, 0, bytes);
  }

  #emit(bytes: Buffer, start: number, end: number): void {
    const last = end > start && bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end;
    const line = bytes.toString('utf8', start, last);
    if (/\S/.test(line)) this.#onLine(line);
  }

  #append(chunk: Buffer, start: number, end: number): void {
    const bytes = this.#partialBytes + end - start;
    this.#checkLength(bytes);
    if (bytes > this.#partial.length) {
      // Doubling keeps the sum of all copies linear, even when a long line comes byte by byte.
      const grown = Buffer.allocUnsafe(Math.max(bytes, 2 * this.#partial.length, 256));
      this.#partial.copy(grown, 0, 0, this.#partialBytes);
      this.#partial = grown;
    }
    chunk.copy(this.#partial, this.#partialBytes, start, end);
    this.#partialBytes = bytes;
  }

  #checkLength(bytes: number): void {
    if (bytes <= this.#maxBytes) return;
    throw new QemuError('QEMU_QMP_PROTOCOL', `Peer sent a line of more than ${this.#maxBytes} bytes`);
  }
}
