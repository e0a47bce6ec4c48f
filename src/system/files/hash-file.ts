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
    const buffer = Buffer.alloc(PIECE_BYTES);
    let sizeBytes = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, sizeBytes);
      if (signal?.aborted) break;
      if (bytesRead === 0) return { sizeBytes, sha256: hash.digest('hex') };
      hash.update(buffer.subarray(0, bytesRead));
      sizeBytes += bytesRead;
      onBytes?.(bytesRead);
    }
  } catch (error) {
    throw fileError('read', path, error);
  }
  throw abortError(signal);
}
