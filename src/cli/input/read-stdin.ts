import { QemuError } from '../../base/errors.ts';
import { stdinPieces } from './stdin-pieces.ts';

/**
 * All of standard input.
 *
 * @throws {QemuError} `QEMU_USAGE` for more than that, `QEMU_ABORTED` when the signal comes.
 */
export async function readStdin(mostBytes: number, signal: AbortSignal): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of stdinPieces(signal)) {
    size += piece.length;
    if (size > mostBytes) throw new QemuError('QEMU_USAGE', `Standard input has more than ${mostBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
