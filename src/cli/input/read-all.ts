import { stdinPieces } from './stdin-pieces.ts';

/**
 * All of standard input as text, up to a limit.
 *
 * @param maxBytes what comes after that is not read.
 * @throws {QemuError} `QEMU_ABORTED` when the signal comes.
 */
export async function readAll(maxBytes: number, signal: AbortSignal): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of stdinPieces(signal)) {
    pieces.push(piece);
    length += piece.length;
    if (length >= maxBytes) break;
  }
  return Buffer.concat(pieces).subarray(0, maxBytes).toString();
}
