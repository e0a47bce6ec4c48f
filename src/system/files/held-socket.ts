import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { QemuError } from '../../base/errors.ts';
import { fileError } from './file-error.ts';

/** open(2): a handle to what has that path, without opening it. Node has no name for it. */
const O_PATH = 0o10_000_000;

/**
 * Does something with a unix socket in a folder that is not ours. `body` gets a path that stays with the socket that is
 * there now: a link that another user puts in its place, to a socket that only we may use, is not followed.
 *
 * @throws {QemuError} `QEMU_IO` when it is missing or not a socket, `QEMU_NOT_PERMITTED`, and what `body` throws.
 */
export async function withHeldSocket<T>(path: string, body: (held: string) => Promise<T>): Promise<T> {
  const handle = hold(path);
  const held = `/proc/self/fd/${handle}`;
  try {
    return await body(held);
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    const { code, message, cause, hint } = error;
    throw new QemuError(code, message.replace(held, path), { cause, hint });
  } finally {
    closeSync(handle);
  }
}

function hold(path: string): number {
  let handle: number;
  try {
    handle = openSync(path, O_PATH | constants.O_NOFOLLOW);
  } catch (error) {
    throw fileError('use socket', path, error);
  }
  if (fstatSync(handle).isSocket()) return handle;
  closeSync(handle);
  throw new QemuError('QEMU_IO', `Cannot use socket "${path}": something else is there`);
}
