import { read } from 'node:fs';
import { promisify } from 'node:util';
import { delay } from '../../base/abort.ts';
import { errorCode, QemuError } from '../../base/errors.ts';
import type { OpenFile } from '../trust/open-named.ts';
import { fileError } from './file-error.ts';

/** How to read. */
export interface ReadHeldOptions {
  readonly pieceBytes: number;
  /** How long a pipe may be without anybody who writes to it; one that is there may take its time. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const POLL_MS = 20;
const readFrom = promisify(read);

/**
 * What a file that is open holds, or what comes through a pipe, until its end. Opening a pipe once more would wait for
 * another writer: the one that waited has written and gone. The caller closes the descriptor.
 *
 * @throws {QemuError} `QEMU_IO`, `QEMU_TIMEOUT`, `QEMU_ABORTED`.
 */
export async function* readHeld(
  path: string,
  { descriptor, stats }: OpenFile,
  { pieceBytes, timeoutMs, signal }: ReadHeldOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const deadline = performance.now() + timeoutMs;
  let hasWriter = !stats.isFIFO();
  for (;;) {
    const piece = await readNow(path, descriptor, pieceBytes);
    // pipe(7): with nobody at the other end it is at its end at once, also when nobody has been there yet.
    if (piece?.length === 0 && hasWriter) return;
    hasWriter ||= piece?.length !== 0;
    if (piece !== undefined && piece.length > 0) {
      yield piece;
      continue;
    }
    if (!hasWriter && performance.now() > deadline) {
      throw new QemuError('QEMU_TIMEOUT', `Nobody has written to "${path}" within ${timeoutMs / 1000} s`);
    }
    await delay(POLL_MS, signal);
  }
}

/** Undefined when the writer of a pipe has not written yet. */
async function readNow(path: string, descriptor: number, most: number): Promise<Uint8Array | undefined> {
  const buffer = Buffer.alloc(most);
  try {
    const { bytesRead } = await readFrom(descriptor, buffer, 0, most, null);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if (errorCode(error) === 'EAGAIN') return undefined;
    throw fileError('read', path, error);
  }
}
