import { QemuError } from '../../base/errors.ts';
import { parseSize } from '../../config/text/values.ts';

/**
 * Bytes of a size as typed. A small number without a unit is refused: RAM=8 means 8 MiB, qemu-img would take 8 as
 * bytes, and probably 8 GiB are meant.
 *
 * @throws {QemuError} `QEMU_USAGE`
 */
export function sizeOfDisk(text: string): number {
  const isBare = /^\d+$/.test(text);
  const bytes = isBare ? Number(text) : parseSize(text);
  if (bytes !== undefined && Number.isSafeInteger(bytes) && bytes >= LEAST_DISK) return bytes;
  const hint = isBare && bytes !== 0 ? `did you mean ${text}G?` : 'at least 1M: a number with M, G or T, such as 8G';
  throw new QemuError('QEMU_USAGE', `"${text}" is not a valid disk size`, { hint });
}

/** Less than a floppy disk has. */
const LEAST_DISK = 1024 ** 2;
