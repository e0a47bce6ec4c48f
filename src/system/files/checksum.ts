import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { abortError } from '../../base/abort.ts';
import { fileError } from './file-error.ts';

/** Bytes read at a time, always into the same buffer: to make new ones takes longer than to read. */
const PIECE_BYTES = 1024 * 1024;

/** A file as it was read. */
export interface Checksum {
  readonly sizeBytes: number;
  /** CRC-32 of all of it, as of zlib. */
  readonly crc32: number;
}

/**
 * Reads a file to its end.
 *
 * @throws {QemuError} `QEMU_IO`, `QEMU_NOT_PERMITTED`, `QEMU_ABORTED`.
 */
export async function checksumOf(path: string, signal: AbortSignal | undefined): Promise<Checksum> {
  const buffer = Buffer.allocUnsafeSlow(PIECE_BYTES);
  let [sizeBytes, crc] = [0, 0];
  try {
    const file = await open(path, 'r');
    try {
      for (;;) {
        if (signal?.aborted) throw abortError(signal);
        const { bytesRead } = await file.read(buffer, 0, PIECE_BYTES, sizeBytes);
        if (bytesRead === 0) return { sizeBytes, crc32: crc };
        crc = crc32(buffer.subarray(0, bytesRead), crc);
        sizeBytes += bytesRead;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw signal?.aborted ? abortError(signal) : fileError('read', path, error);
  }
}
