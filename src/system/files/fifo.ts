import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { QemuError } from '../../base/errors.ts';
import { run } from '../process/exec.ts';
import { fileError } from './file-error.ts';

/** The reading end of a pipe with a name. */
export interface Fifo {
  /** What is written to it, until the last writer has closed it. */
  readonly stream: Socket;
  /** To be called when the writer has opened it: until then this process keeps the stream from ending. */
  readonly writerIsThere: () => void;
  /** Lets go of it; a writer then gets an error. May be called twice. */
  readonly close: () => void;
}

/**
 * Makes a pipe that any user may write to who gets to it, and opens it for reading.
 *
 * @throws {QemuError} `QEMU_IO`, `QEMU_NOT_PERMITTED`, `QEMU_NOT_INSTALLED`.
 */
export async function makeFifo(path: string): Promise<Fifo> {
  const { exitCode, stderr } = await run('mkfifo', ['-m', '0666', '--', path]);
  if (exitCode !== 0) throw new QemuError('QEMU_IO', `Cannot make the pipe "${path}": ${stderr.trim()}`);
  let writer: number | undefined;
  try {
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const stream = new Socket({ fd: reader, readable: true, writable: false });
    const writerIsThere = (): void => {
      if (writer !== undefined) closeSync(writer);
      writer = undefined;
    };
    const close = (): void => {
      writerIsThere();
      stream.destroy();
    };
    return { stream, writerIsThere, close };
  } catch (error) {
    if (writer !== undefined) closeSync(writer);
    throw fileError('open', path, error);
  }
}
