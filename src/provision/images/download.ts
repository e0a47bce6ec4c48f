import { createHash, type Hash } from 'node:crypto';
import { createReadStream, ftruncateSync, statfsSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { delay } from '../../base/abort.ts';
import { errorCode, QemuError } from '../../base/errors.ts';
import type { LongWorkOptions, OnProgress } from '../../base/progress.ts';
import { fileError } from '../../system/files/file-error.ts';
import { readTextIfExists, removeIfExists } from '../../system/files/files.ts';
import { writeFileAtomic } from '../../system/files/write-file.ts';
import { block, isBlocked, openResponse, type Response } from './http.ts';

/** What is to be fetched, and into which file. */
export interface Download extends LongWorkOptions {
  readonly url: string;
  /** Name of the file until it is whole; one that is there is continued if the server still has the same. */
  readonly part: string;
  /** What it must have; lower case. */
  readonly sha256?: string | undefined;
  /** How long the server may say nothing (default: 30 s). */
  readonly silenceMs?: number | undefined;
}

/** What was fetched. */
export interface Downloaded {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly etag: string | undefined;
}

/** A connection that breaks is made again so often in a row without a byte more. */
const MOST_TRIES = 4;
const PAUSE_MS = 1_000;

/**
 * Fetches a file. What a command was interrupted at is continued, if the server says by its ETag that it still has the
 * same. A file whose length or hash is wrong does not stay.
 *
 * @throws {QemuError} `QEMU_IO` with what went wrong, `QEMU_TIMEOUT`, `QEMU_USAGE` for an address that is not fetched,
 * `QEMU_ABORTED`.
 */
export async function download(options: Download): Promise<Downloaded> {
  const { part, sha256, signal } = options;
  let last = -1;
  for (let tries = 1; ; tries++) {
    try {
      const got = await fetchOnce(options);
      if (sha256 === undefined || got.sha256 === sha256) return got;
      forget(part);
      throw new QemuError('QEMU_IO', `"${options.url}" has the sha256 ${got.sha256}, not ${sha256}`, {
        hint: 'it is not what was meant, or was changed on the way; nothing of it is kept',
      });
    } catch (error) {
      const isOver = !(error instanceof Broken) || !error.isResumable;
      if (isOver || (error.done <= last && tries >= MOST_TRIES)) {
        forgetUseless(part, options.url);
        throw error instanceof Broken ? error.reason : error;
      }
      if (error.done > last) tries = 1;
      last = error.done;
      await delay(PAUSE_MS * tries, signal);
    }
  }
}

/** The connection broke when so much was there. */
class Broken extends Error {
  readonly done: number;
  readonly isResumable: boolean;
  readonly reason: unknown;

  constructor(done: number, isResumable: boolean, reason: unknown) {
    super('The connection broke');
    this.done = done;
    this.isResumable = isResumable;
    this.reason = reason;
  }
}

async function fetchOnce({ url, part, sha256, silenceMs, signal, onProgress }: Download): Promise<Downloaded> {
  const known = startOf(part, url);
  const hash = createHash('sha256');
  const file = await openPart(part);
  try {
    let done = known === undefined ? 0 : await hashPart(part, hash);
    const range = done > 0 && known !== undefined ? { start: done, etag: known } : undefined;
    const response = await openResponse(url, { range, allowPlain: sha256 !== undefined, silenceMs, signal });
    try {
      let running = hash;
      if (response.start !== done) {
        running = createHash('sha256');
        done = 0;
        await file.truncate(0);
      }
      noteEtag(part, url, response.etag);
      const total = response.length === undefined ? 0 : done + response.length;
      refuseWithoutRoom(part, total - done);
      const size = await receive(file, response, { done, total, hash: running, onProgress });
      await file.sync();
      forget(part, true);
      return { sha256: running.digest('hex'), sizeBytes: size, etag: response.etag };
    } finally {
      response.close();
    }
  } catch (error) {
    if (error instanceof Broken || error instanceof QemuError) throw error;
    throw fileError('write', part, error);
  } finally {
    await file.close();
  }
}

interface Receiving {
  done: number;
  /** 0: unknown. */
  readonly total: number;
  readonly hash: Hash;
  readonly onProgress: OnProgress | undefined;
}

/** Writes what comes. Returns the size of the whole file. */
async function receive(file: FileHandle, response: Response, state: Receiving): Promise<number> {
  const { total, hash, onProgress } = state;
  const isResumable = response.etag !== undefined;
  try {
    for await (const chunk of response.chunks()) {
      if (total === 0) refuseToFill(file, state.done, chunk.length);
      await writeWhole(file, chunk, state.done);
      hash.update(chunk);
      state.done += chunk.length;
      onProgress?.({ phase: 'downloading', done: state.done, total });
      // A server that never ends must not fill the disk.
      if (total > 0 && state.done > total) throw new QemuError('QEMU_IO', `The answer is longer than it said`);
    }
  } catch (error) {
    if (isBlocked(error) || errorCode(error) === 'QEMU_ABORTED' || !(error instanceof QemuError)) throw error;
    throw new Broken(state.done, isResumable, error);
  }
  if (total > 0 && state.done < total) {
    const reason = new QemuError('QEMU_IO', `The connection ended after ${state.done} of ${total} bytes`);
    throw new Broken(state.done, isResumable, reason);
  }
  return state.done;
}

async function writeWhole(file: FileHandle, chunk: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    done += (await file.write(chunk, done, chunk.length - done, at + done)).bytesWritten;
  }
}

/** One that does not say how long its answer is may never end. */
function refuseToFill({ fd }: FileHandle, done: number, more: number): void {
  if (Math.floor(done / LOOK_BYTES) === Math.floor((done + more) / LOOK_BYTES)) return;
  const { bavail, blocks } = statfsSync(`/proc/self/fd/${fd}`);
  if (bavail > blocks / 20) return;
  // Nothing of it stays.
  ftruncateSync(fd);
  throw block(new QemuError('QEMU_IO', `The answer fills the disk: ${done} bytes have come, and no end`));
}

const LOOK_BYTES = 1024 * 1024;

function refuseWithoutRoom(part: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(dirname(part));
  if (bytes <= bavail * bsize) return;
  throw new QemuError('QEMU_IO', `"${dirname(part)}" has room for ${bavail * bsize} bytes, the image has ${bytes}`);
}

async function openPart(part: string): Promise<FileHandle> {
  try {
    return await open(part, 'r+');
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw fileError('write', part, error);
  }
  try {
    return await open(part, 'wx', 0o600);
  } catch (error) {
    throw fileError('write', part, error);
  }
}

/** The bytes that are there count for the hash, too. Returns how many they are. */
async function hashPart(part: string, hash: Hash): Promise<number> {
  let size = 0;
  for await (const chunk of createReadStream(part)) {
    if (!Buffer.isBuffer(chunk)) continue;
    hash.update(chunk);
    size += chunk.length;
  }
  return size;
}

/** Next to the part is what it is a part of. */
function noteOf(part: string): string {
  return `${part}.json`;
}

/** The strong ETag that the part was begun with; undefined when it cannot be continued. */
function startOf(part: string, url: string): string | undefined {
  const text = readTextIfExists(noteOf(part));
  try {
    const note: unknown = JSON.parse(text ?? 'null');
    if (typeof note !== 'object' || note === null || !('url' in note) || !('etag' in note)) return undefined;
    return note.url === url && typeof note.etag === 'string' ? note.etag : undefined;
  } catch {
    return undefined;
  }
}

function noteEtag(part: string, url: string, etag: string | undefined): void {
  writeFileAtomic(noteOf(part), `${JSON.stringify({ url, etag })}\n`, 0o600);
}

/** Removes what no later command could continue. */
function forgetUseless(part: string, url: string): void {
  const size = statSync(part, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0 || startOf(part, url) === undefined) forget(part);
}

function forget(part: string, isWhole = false): void {
  if (!isWhole) removeIfExists(part);
  removeIfExists(noteOf(part));
}
