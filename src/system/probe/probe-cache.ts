import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { untilAborted } from '../../base/abort.ts';
import { ensureDir } from '../files/files.ts';
import { writeFileAtomic } from '../files/write-file.ts';
import { queueUp } from '../lock/turn-queue.ts';

/** Raised when the stored form changes: older files are then ignored. */
const CACHE_VERSION = 3;

/**
 * Where and under which condition an answer of a binary is kept. Not for anything that decides on access: a user who
 * may write to `dir` can put any answer there.
 */
export interface CacheEntry {
  readonly dir: string;
  /** File name, without folder. */
  readonly name: string;
  /** All that the answer depends on; an answer stored with another key is not used. */
  readonly key: string;
}

/** The entry for an answer that holds as long as the binary does not change, and `condition` with it. */
export function cacheEntry(dir: string, kind: string, binary: string, condition: readonly string[] = []): CacheEntry {
  const hash = createHash('sha256').update(binary).digest('hex').slice(0, 16);
  const target = realpathSync(binary);
  const { size, mtimeMs } = statSync(target);
  return { dir, name: `${hash}.${kind}.json`, key: [target, size, mtimeMs, ...condition].join('|') };
}

/** How {@link askOnce} gets an answer. */
export interface Question<T> {
  readonly ask: () => Promise<T>;
  /** Whether a stored value is an answer, and still good. */
  readonly accept: (value: unknown) => value is T;
  /** False: keep the answer for a few seconds only, in this process. */
  readonly isLasting?: boolean | undefined;
}

/**
 * The stored answer, or else a new one, which is then stored. Of many calls at once in one process only the first asks.
 *
 * @throws {QemuError} `QEMU_ABORTED`, and what `ask` throws.
 */
export async function askOnce<T>(
  entry: CacheEntry,
  signal: AbortSignal | undefined,
  question: Question<T>,
): Promise<T> {
  const stored = readCache(entry);
  if (question.accept(stored)) return stored;
  const turn = queueUp(filePath(entry));
  try {
    await untilAborted(turn.come, signal);
    const fresh = readCache(entry);
    if (question.accept(fresh)) return fresh;
    const answer = await question.ask();
    if (question.isLasting === false || !writeCache(entry, answer)) remember(entry, answer);
    return answer;
  } finally {
    turn.leave();
  }
}

/** Undefined when nothing is stored, or it is for another key, or damaged. */
function readCache(entry: CacheEntry): unknown {
  const { key, answer, until } = remembered.get(filePath(entry)) ?? {};
  if (key === entry.key && until !== undefined && performance.now() < until) return answer;
  try {
    const stored: unknown = JSON.parse(readFileSync(filePath(entry), 'utf8'));
    if (!isStored(stored) || stored.version !== CACHE_VERSION || stored.key !== entry.key) return undefined;
    return stored.answer;
  } catch {
    return undefined;
  }
}

/**
 * False when the folder cannot be written: read-only, or a full disk. The caller then goes on without a stored answer.
 */
function writeCache(entry: CacheEntry, answer: unknown): boolean {
  try {
    ensureDir(entry.dir, 0o755);
    const text = JSON.stringify({ version: CACHE_VERSION, key: entry.key, answer });
    writeFileAtomic(filePath(entry), text, 0o644);
    return true;
  } catch {
    return false;
  }
}

const REMEMBERED_FOR_MS = 10_000;

/** Answers that could not go to a file, so that the start of a hundred machines does not ask a hundred times. */
const remembered = new Map<string, { readonly key: string; readonly answer: unknown; readonly until: number }>();

function remember(entry: CacheEntry, answer: unknown): void {
  remembered.set(filePath(entry), { key: entry.key, answer, until: performance.now() + REMEMBERED_FOR_MS });
}

function filePath(entry: CacheEntry): string {
  return join(entry.dir, entry.name);
}

/**
 * A wrapper script does not show changes of the program it runs: Debian's qemu-system-i386 stays the same over
 * upgrades.
 */
export function isScript(binary: string): boolean {
  const file = openSync(binary, 'r');
  try {
    const start = Buffer.alloc(2);
    readSync(file, start);
    return start.toString('latin1') === '#!';
  } finally {
    closeSync(file);
  }
}

interface Stored {
  readonly version: unknown;
  readonly key: unknown;
  readonly answer: unknown;
}

function isStored(value: unknown): value is Stored {
  return typeof value === 'object' && value !== null && 'version' in value && 'key' in value && 'answer' in value;
}
