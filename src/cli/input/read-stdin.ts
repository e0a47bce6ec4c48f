import { QemuError } from '../../base/errors.ts';

/**
 * All of standard input.
 *
 * @throws {QemuError} `QEMU_USAGE` for more than that, `QEMU_ABORTED` when the signal comes.
 */
export async function readStdin(mostBytes: number, signal: AbortSignal): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  const stop = (): void => void process.stdin.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const piece of process.stdin) {
      const bytes = Buffer.from(piece);
      size += bytes.length;
      if (size > mostBytes) throw new QemuError('QEMU_USAGE', `Standard input has more than ${mostBytes} bytes`);
      pieces.push(bytes);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
  if (signal.aborted) throw new QemuError('QEMU_ABORTED', 'Interrupted');
  return Buffer.concat(pieces);
}
