import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { abortError } from '../../base/abort.ts';
import { fileError } from './file-error.ts';

/** Length and hash of a file's content. */
export interface FileHash {
  readonly sizeBytes: number;
  /** In hexadecimal digits. */
  readonly sha256: string;
}

const PIECE_BYTES = 1024 * 1024;

/**
 * Reads a whole regular file, which may be larger than the memory. A link is not followed, a FIFO not waited for.
 *
 * @param onBytes receives how many bytes were read since its last call.
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`, `QEMU_ABORTED`.
 */
export async function hashFile(
  path: string,
  { signal, onBytes }: { signal?: AbortSignal | undefined; onBytes?: (count: number) => void } = {},
): Promise<FileHash> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (!(await file.stat()).isFile()) throw new Error('not a regular file');
    const hash = createHash('sha256');
    const read = (buffer: Buffer, at: number): Promise<{ bytesRead: number }> =>
      file.read(buffer, 0, buffer.length, at);
    let [buffer, other] = [Buffer.allocUnsafe(PIECE_BYTES), Buffer.allocUnsafe(PIECE_BYTES)];
    let sizeBytes = 0;
    for (let reading = read(buffer, 0); ; ) {
      const { bytesRead } = await reading;
      if (signal?.aborted) break;
      if (bytesRead === 0) return { sizeBytes, sha256: hash.digest('hex') };
      sizeBytes += bytesRead;
      // The next piece is read while this one is hashed.
      reading = read(other, sizeBytes);
      // Whoever waits for it next sees its error.
      reading.catch(() => {});
      hash.update(buffer.subarray(0, bytesRead));
      [buffer, other] = [other, buffer];
      onBytes?.(bytesRead);
    }
  } catch (error) {
    throw fileError('read', path, error);
  }
  throw abortError(signal);
}
