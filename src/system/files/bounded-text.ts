import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { fileError } from './file-error.ts';

/**
 * The text of a regular file in a folder that others may write to. A link is not followed, and a FIFO or a device is
 * neither waited for nor acted on.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED`, or `QEMU_IO` also when it is missing, something else than a file, or larger.
 */
export function readBoundedText(path: string, mostBytes: number): string {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (!fstatSync(fd).isFile()) throw new Error('not a regular file');
    // What the file grows to meanwhile is not asked of fstat(2).
    const buffer = Buffer.alloc(Math.min(fstatSync(fd).size, mostBytes) + 1);
    let length = 0;
    for (let got = -1; got !== 0 && length < buffer.length; length += got) {
      got = readSync(fd, buffer, length, buffer.length - length, length);
    }
    if (length > mostBytes) throw new Error(`larger than ${mostBytes} bytes`);
    return buffer.toString('utf8', 0, length);
  } catch (error) {
    throw fileError('read', path, error);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
