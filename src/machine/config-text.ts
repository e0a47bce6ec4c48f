import { closeSync, fstatSync, readFileSync, type Stats } from 'node:fs';
import { errorCode, QemuError } from '../base/errors.ts';
import type { Problem } from '../base/problem.ts';
import { messageOf } from '../base/text.ts';
import { openTrusted, trustPath } from '../system/trust/trusted-path.ts';

/** Largest file that is read, in bytes. */
export const LARGEST_FILE = 1024 ** 2;

interface Unreadable {
  /** Has the code `QEMU_NOT_PERMITTED` when this user may not read the file. */
  readonly issue: Problem;
  readonly cause?: unknown;
}

/** The text of a file, or why it cannot be read. */
export type ConfigText = { readonly text: string } | Unreadable;

/**
 * Reads a text file that people write: a regular file of at most 1 MiB in UTF-8, that only trusted users can write to:
 * see {@link openTrusted}. Never throws.
 */
export function readConfigText(path: string): ConfigText {
  const issue = (message: string, detail: Partial<Problem> = {}): Problem => {
    return { file: path, message, severity: 'error', ...detail };
  };
  try {
    const stats = path === '' ? undefined : trustPath(path).stats;
    if (stats === undefined) return missing(issue);
    const version = versionOf(stats);
    const known = texts.get(path);
    if (known?.version === version) return known.read;
    const bytes = readBytes(path, stats);
    if (bytes === undefined) return missing(issue);
    const read = bytes.length > LARGEST_FILE ? { issue: issue(TOO_LARGE) } : decode(bytes, issue);
    if (isSettled(stats)) remember(texts, path, { version, read });
    return read;
  } catch (error) {
    const { cause, ...detail } = detailOf(error);
    return { issue: issue(reasonOf(error), detail), cause };
  }
}

/** Files already read by this command, so that each is opened once and again only after it has changed. */
const texts = new Map<string, { readonly version: string; readonly read: ConfigText }>();

/** Remembers a value for a file; starts again at a limit that the files of one host do not reach. */
export function remember<T>(memory: Map<string, T>, path: string, value: T): void {
  if (memory.size >= MOST_REMEMBERED) memory.clear();
  memory.set(path, value);
}

const MOST_REMEMBERED = 2000;

/** The metadata that change with every change of a file: inode(7). */
function versionOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return [dev, ino, size, mtimeMs, ctimeMs].join(':');
}

/** A second change within one tick of the kernel's clock would not show in the times. */
function isSettled({ ctimeMs }: Stats): boolean {
  return Date.now() - ctimeMs > TICK_MS;
}

/** A jiffy at 100 Hz, the slowest clock that Linux is built with, twice. */
const TICK_MS = 20;

function missing(issue: (message: string) => Problem): ConfigText {
  return { issue: issue('The file does not exist'), cause: MISSING };
}

function decode(bytes: Buffer, issue: (message: string, detail: Partial<Problem>) => Problem): ConfigText {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    const hint = 'save the file as UTF-8';
    return { issue: issue('The line is not UTF-8 text', { line: firstBadLine(bytes), hint }) };
  }
}

const TOO_LARGE = `The file is larger than ${LARGEST_FILE} bytes`;

/** The cause that {@link isNotFound} recognises. */
const MISSING = Object.assign(new Error('no such file'), { code: 'ENOENT' });

/** Reads at most one byte more than the limit; undefined when the file no longer exists. */
function readBytes(path: string, stats: Stats): Buffer | undefined {
  const refusal = refuse(stats);
  if (refusal !== undefined) throw new Error(refusal);
  const fd = openTrusted(path);
  if (fd === undefined) return undefined;
  try {
    return fstatSync(fd).size > LARGEST_FILE ? Buffer.alloc(LARGEST_FILE + 1) : readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

function refuse(stats: Stats): string | undefined {
  if (stats.isDirectory()) return 'This is a folder, not a file';
  if (!stats.isFile()) return 'This is not a regular file';
  return stats.size > LARGEST_FILE ? TOO_LARGE : undefined;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof QemuError) || error.cause === undefined) return messageOf(error);
  const { cause } = error;
  return isDenied(cause) ? 'This user may not read the file' : `The file cannot be read: ${messageOf(cause)}`;
}

function isDenied(cause: unknown): boolean {
  const code = errorCode(cause);
  return code === 'EACCES' || code === 'EPERM';
}

function detailOf(error: unknown): Partial<Problem> & { cause?: unknown } {
  if (!(error instanceof QemuError)) return { cause: error };
  const { cause, code, hint } = error;
  if (code !== 'QEMU_NOT_PERMITTED') return { cause };
  return cause === undefined ? { code, hint } : { cause, code };
}

/** Line of the first byte that is not UTF-8. */
function firstBadLine(bytes: Buffer): number {
  let line = 1;
  let start = 0;
  for (;;) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline;
    if (newline < 0 || !isUtf8(bytes.subarray(start, end))) return line;
    start = end + 1;
    line += 1;
  }
}

function isUtf8(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
