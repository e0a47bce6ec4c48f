import { closeSync, fstatSync } from 'node:fs';
import { lastPlaceOf } from '../find-bytes.ts';
import { LOG_LIMIT_BYTES, openLogToRead, readBytes } from './log-file.ts';

/** Enough of what was read last to recognise the place again, also between equal lines. */
const MARK_BYTES = 4096;

/** Largest piece that is read at once. */
const PIECE_BYTES = 1024 * 1024;

/**
 * Reads what is added to a log, piece by piece, also while it is shortened: the end of what it held until then is read
 * from `FILE.1`, and the rest from the beginning of the new one, however much has been written to that meanwhile.
 */
export class LogFollower {
  readonly #path: string;
  #position = 0;
  /** What was read last, up to the position. */
  #mark: Buffer = Buffer.alloc(0);

  /** Begins at the present end of the log. */
  constructor(path: string) {
    this.#path = path;
    this.#withLog((fd, size) => this.#moveTo(fd, size));
  }

  /** The text before the place where following begins, the last 4 MiB of it. */
  before(): string {
    const length = Math.min(this.#position, LOG_LIMIT_BYTES);
    return this.#withLog((fd) => readBytes(fd, this.#position - length, length).toString('utf8')) ?? '';
  }

  /**
   * The next piece; empty when nothing was added.
   *
   * @throws {QemuError} `QEMU_NOT_PERMITTED`, `QEMU_IO` when the log cannot be read.
   */
  next(): Buffer {
    return (
      this.#withLog((fd, size) => {
        if (!this.#isSame(fd, size)) {
          const rest = this.#restOfFormer();
          this.#position = 0;
          this.#mark = Buffer.alloc(0);
          if (rest.length > 0) return rest;
        }
        // Of a file that is larger than it may be only the end is worth reading: it may be sparse.
        if (size - this.#position > LOG_LIMIT_BYTES) this.#moveTo(fd, size - LOG_LIMIT_BYTES);
        const piece = readBytes(fd, this.#position, Math.min(size - this.#position, PIECE_BYTES));
        this.#position += piece.length;
        this.#mark = Buffer.concat([this.#mark, piece]).subarray(-MARK_BYTES);
        return piece;
      }) ?? Buffer.alloc(0)
    );
  }

  /** Whether the log is still the one that was read up to the position. */
  #isSame(fd: number, size: number): boolean {
    if (size < this.#position) return false;
    return readBytes(fd, this.#position - this.#mark.length, this.#mark.length).equals(this.#mark);
  }

  /** What the log held past the position before it was shortened; empty when that is not known. */
  #restOfFormer(): Buffer {
    const fd = openLogToRead(`${this.#path}.1`);
    if (fd === undefined) return Buffer.alloc(0);
    try {
      if (this.#mark.length === 0) return Buffer.alloc(0);
      const former = readBytes(fd, 0, Math.min(fstatSync(fd).size, 2 * LOG_LIMIT_BYTES));
      const place = lastPlaceOf(this.#mark, former);
      return place < 0 ? Buffer.alloc(0) : former.subarray(place + this.#mark.length);
    } finally {
      closeSync(fd);
    }
  }

  #moveTo(fd: number, position: number): void {
    const start = Math.max(0, position - MARK_BYTES);
    this.#mark = readBytes(fd, start, position - start);
    this.#position = start + this.#mark.length;
  }

  #withLog<T>(work: (fd: number, size: number) => T): T | undefined {
    const fd = openLogToRead(this.#path);
    if (fd === undefined) return undefined;
    try {
      return work(fd, fstatSync(fd).size);
    } finally {
      closeSync(fd);
    }
  }
}
