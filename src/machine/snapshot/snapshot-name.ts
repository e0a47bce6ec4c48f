import { QemuError } from '../../base/errors.ts';

/** QEMU keeps 255 bytes of a name (SnapshotInfo.name); as a part of a file's name it has to leave room for the rest. */
const MOST_BYTES = 100;

/** Words, digits and a few signs, with single blanks between them. */
const GOOD = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._+@=,()-]*(?: [\p{L}\p{M}\p{N}._+@=,()-]+)*$/u;

/**
 * Checks the name of a snapshot that is to be made.
 *
 * @throws {QemuError} `QEMU_USAGE`
 */
export function checkSnapshotName(name: string): void {
  if (!GOOD.test(name) || Buffer.byteLength(name) > MOST_BYTES) {
    throw new QemuError('QEMU_USAGE', `${JSON.stringify(name)} is not a name for a snapshot`, {
      hint: `use up to ${MOST_BYTES} letters, digits, blanks and . _ - + @ = , ( ), beginning with a letter or a digit`,
    });
  }
  // QEMU takes a number for its own number of a snapshot.
  if (/^\p{N}+$/u.test(name)) {
    throw new QemuError('QEMU_USAGE', `"${name}" is not a name for a snapshot: QEMU numbers them itself`, {
      hint: 'add a letter',
    });
  }
}

/** The name of one that is given none: the local time as `YYYYMMDD-HHMMSS`. */
export function defaultSnapshotName(now: Date): string {
  const part = (value: number): string => String(value).padStart(2, '0');
  const day = `${now.getFullYear()}${part(now.getMonth() + 1)}${part(now.getDate())}`;
  return `${day}-${part(now.getHours())}${part(now.getMinutes())}${part(now.getSeconds())}`;
}
