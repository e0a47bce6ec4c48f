import { closeSync, readSync } from 'node:fs';
import { delay } from '../../base/abort.ts';
import { errorCode, isNotFound, QemuError } from '../../base/errors.ts';
import { openNamed } from '../trust/open-named.ts';
import { fileError } from './file-error.ts';

/** How to wait for the writer of a pipe. */
export interface FirstTextOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const CHUNK = 65_536;
const POLL_MS = 20;

/**
 * The first bytes of a file or a pipe as text; undefined when there is none. Whoever made a FIFO may never write to it:
 * neither an interruption nor the time limit waits for that.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED`, `QEMU_IO` also for a device or a folder, `QEMU_TIMEOUT`, `QEMU_ABORTED`.
 */
export async function readFirstText(
  path: string,
  maxBytes: number,
  { timeoutMs, signal }: FirstTextOptions,
): Promise<string | undefined> {
  let fd: number | undefined;
  const deadline = performance.now() + timeoutMs;
  const pieces: Buffer[] = [];
  try {
    fd = openNamed(path, (stats) => {
      if (!stats.isFile() && !stats.isFIFO() && !stats.isDirectory()) throw new Error('neither a file nor a pipe');
    }).descriptor;
    for (let left = maxBytes; left > 0; ) {
      const piece = readNow(fd, Math.min(left, CHUNK));
      if (piece?.length === 0) break;
      if (piece === undefined && performance.now() > deadline) {
        throw new QemuError('QEMU_TIMEOUT', `Nobody has written to "${path}" within ${timeoutMs / 1000} s`);
      }
      if (piece === undefined) await delay(POLL_MS, signal);
      else pieces.push(piece);
      left -= piece?.length ?? 0;
    }
    return Buffer.concat(pieces).toString();
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error instanceof QemuError ? error : fileError('read', path, error);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Undefined when the writer of a pipe has not written yet. */
function readNow(fd: number, most: number): Buffer | undefined {
  const buffer = Buffer.alloc(most);
  try {
    return buffer.subarray(0, readSync(fd, buffer));
  } catch (error) {
    if (errorCode(error) === 'EAGAIN') return undefined;
    throw error;
  }
}
