import { closeSync, fstatSync, lstatSync } from 'node:fs';
import { lastPlaceOf } from '../find-bytes.ts';
import { openLogToRead, readBytes } from './log-file.ts';

/** A place in a log that is found again, or known to be gone, after the log was shortened. */
export interface LogMark {
  /** Bytes before it. */
  readonly offset: number;
  /** The last of those, in Base64. */
  readonly before: string;
  /** Which file `FILE.1` was then; empty when there was none. */
  readonly previous: string;
}

const MARK_BYTES = 256;

/** The end of a log as it is now. Of one that is missing or cannot be read: its beginning. */
export function markLog(path: string): LogMark {
  try {
    const previous = identityOf(`${path}.1`);
    const start = { offset: 0, before: '', previous };
    return withLog(path, (fd, size) => ({ offset: size, before: endBefore(fd, size), previous })) ?? start;
  } catch {
    return { offset: 0, before: '', previous: '' };
  }
}

/**
 * Bytes that a log got after a mark, the last `maxBytes` of them. When it was shortened since, the end of what it held
 * then is in `FILE.1`, and what of that is after the mark counts too.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED`, `QEMU_IO` when it cannot be read.
 */
export function readSince(path: string, mark: LogMark, maxBytes: number): Buffer {
  const shortened = identityOf(`${path}.1`) === mark.previous ? undefined : readAll(`${path}.1`, maxBytes);
  // What is printed again and again may be there once more in the log that was emptied.
  const before = Buffer.from(mark.before, 'base64');
  const wasEmptied = before.length > 0 && shortened !== undefined && lastPlaceOf(before, shortened) >= 0;
  const kept = wasEmptied
    ? undefined
    : withLog(path, (fd, size) => (isAt(fd, size, mark) ? tail(fd, mark.offset, size, maxBytes) : undefined));
  if (kept !== undefined) return kept;
  const earlier = shortened === undefined ? NOTHING : after(shortened, mark);
  return Buffer.concat([earlier, readAll(path, maxBytes) ?? NOTHING]).subarray(-maxBytes);
}

const NOTHING = Buffer.alloc(0);

function readAll(path: string, maxBytes: number): Buffer | undefined {
  return withLog(path, (fd, size) => tail(fd, 0, size, maxBytes));
}

/** Whether the log still has, before the mark, what it had there. */
function isAt(fd: number, size: number, { offset, before }: LogMark): boolean {
  return size >= offset && endBefore(fd, offset) === before;
}

/**
 * What comes after the mark; all of it when the mark is older. Where it might be in several places, the last one; where
 * the bytes may begin in the middle of it, after its end.
 */
function after(bytes: Buffer, { before }: LogMark): Buffer {
  const text = Buffer.from(before, 'base64');
  if (text.length === 0) return bytes;
  const at = lastPlaceOf(text, bytes);
  if (at >= 0) return bytes.subarray(at + text.length);
  const lengths = Array.from(text, (_, index) => text.length - index);
  const cut = lengths.find((length) => text.subarray(-length).equals(bytes.subarray(0, length)));
  return bytes.subarray(cut ?? 0);
}

function endBefore(fd: number, offset: number): string {
  const length = Math.min(MARK_BYTES, offset);
  return readBytes(fd, offset - length, length).toString('base64');
}

function identityOf(path: string): string {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats === undefined ? '' : `${stats.dev}:${stats.ino}:${stats.mtimeMs}`;
}

function tail(fd: number, offset: number, size: number, maxBytes: number): Buffer {
  const start = Math.max(offset, size - maxBytes);
  return readBytes(fd, start, Math.max(0, size - start));
}

function withLog<T>(path: string, work: (fd: number, size: number) => T): T | undefined {
  const fd = openLogToRead(path);
  if (fd === undefined) return undefined;
  try {
    return work(fd, fstatSync(fd).size);
  } finally {
    closeSync(fd);
  }
}
