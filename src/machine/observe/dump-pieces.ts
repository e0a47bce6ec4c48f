import { totalmem } from 'node:os';
import type { Duplex } from 'node:stream';
import { QemuError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';

/** A guest may have captured the QEMU that writes a dump. */
export interface DumpLimits {
  readonly mostBytes: number;
  /** How long it may take for the next {@link LEAST_BYTES}; time that the disk takes does not count. */
  readonly silenceMs: number;
}

/** What a dump has besides the memory: headers, registers of each processor, memory of devices such as the screen's. */
const EXTRA_BYTES = 1024 ** 3;
/** A QEMU that writes less than this in the time is as good as silent. */
const LEAST_BYTES = 1024 ** 2;

/**
 * What QEMU writes, until its end.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` for more than it may write, `QEMU_TIMEOUT` when nothing to speak of comes.
 */
export async function* dumpPieces(
  stream: Duplex,
  { mostBytes, silenceMs }: DumpLimits,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = stream[Symbol.asyncIterator]();
  let left = mostBytes;
  let since = { bytes: 0, waitedMs: 0 };
  for (;;) {
    const began = performance.now();
    const timer = setTimeout(() => stream.destroy(silent(silenceMs)), Math.max(1, silenceMs - since.waitedMs));
    const { value: piece, done: isOver } = await pieces.next().finally(() => clearTimeout(timer));
    if (isOver === true) return;
    if (!(piece instanceof Uint8Array)) continue;
    left -= piece.length;
    if (left < 0) throw new QemuError('QEMU_COMMAND_FAILED', 'QEMU wrote more than the memory');
    since = { bytes: since.bytes + piece.length, waitedMs: since.waitedMs + performance.now() - began };
    if (since.bytes >= LEAST_BYTES) since = { bytes: 0, waitedMs: 0 };
    yield piece;
  }
}

function silent(ms: number): QemuError {
  return new QemuError('QEMU_TIMEOUT', `QEMU has written nothing of the dump, or next to nothing, for ${ms / 1000} s`);
}

/**
 * Bytes that a dump may have: QEMU itself is not asked how much memory it has. Pure.
 *
 * @param config what the machine was started with; undefined when that is lost.
 * @param hostBytes for machines of which it is not known, or that have more by `[custom]`; default: twice the memory of this
 * host, since guests may be given more than there is.
 */
export function mostDumped(
  config: Pick<MachineConfig, 'memoryBytes' | 'maxMemoryBytes' | 'custom'> | undefined,
  hostBytes = 2 * totalmem(),
): number {
  if (config === undefined) return hostBytes + EXTRA_BYTES;
  const known = Math.max(config.memoryBytes, config.maxMemoryBytes ?? 0);
  return (config.custom.length > 0 ? Math.max(known, hostBytes) : known) + EXTRA_BYTES;
}
