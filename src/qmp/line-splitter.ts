import { QemuError } from '../base/errors.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const OPENING_BRACE = 0x7b;
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
    const last = chunk.lastIndexOf(LINE_FEED);
    if (last === -1) {
      this.#append(chunk, 0, chunk.length);
      return;
    }
    let start = 0;
    if (this.#partialBytes > 0) {
      start = chunk.indexOf(LINE_FEED) + 1;
      this.#finish(chunk, 0, start - 1);
    }
    // Decoding all complete lines at once costs much less than decoding each.
    if (last - start <= this.#maxBytes) this.#emitAll(chunk.toString('utf8', start, last + 1));
    else for (; start <= last; start = chunk.indexOf(LINE_FEED, start) + 1) this.#emitChecked(chunk, start);
    if (last + 1 < chunk.length) this.#append(chunk, last + 1, chunk.length);
  }

  /** Hands out lines, each with its line end. */
  #emitAll(text: string): void {
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      this.#emit(text.slice(start, text.charCodeAt(end - 1) === CARRIAGE_RETURN && end > start ? end - 1 : end));
      start = end + 1;
    }
  }

  #emitChecked(chunk: Buffer, start: number): void {
    const end = chunk.indexOf(LINE_FEED, start);
    this.#checkLength(end - start);
    this.#emitAll(chunk.toString('utf8', start, end + 1));
  }

  /** Completes the line that has begun. */
  #finish(chunk: Buffer, start: number, end: number): void {
    this.#append(chunk, start, end);
    const line = this.#partial.toString('utf8', 0, this.#partialBytes);
    this.#partialBytes = 0;
    if (this.#partial.length > KEPT_BYTES) this.#partial = Buffer.alloc(0);
    this.#emit(line.endsWith('\r') ? line.slice(0, -1) : line);
  }

  #emit(line: string): void {
    // Nearly every line begins with a brace: only others have to be searched.
    if (line.charCodeAt(0) === OPENING_BRACE || /\S/.test(line)) this.#onLine(line);
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
