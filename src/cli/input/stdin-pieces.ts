import { abortError } from '../../base/abort.ts';

/**
 * What comes on standard input, until its end. Nothing may come for ever, so the signal ends the wait itself. Whoever stops early
 * closes standard input.
 *
 * @throws {QemuError} `QEMU_ABORTED` when the signal comes.
 */
export async function* stdinPieces(signal: AbortSignal): AsyncGenerator<Buffer> {
  const stop = (): void => void process.stdin.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) stop();
    for await (const piece of process.stdin) yield Buffer.from(piece);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
  if (signal.aborted) throw abortError(signal);
}
