import { createReadStream } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { abortError } from '../../base/abort.ts';
import { fileError } from './file-error.ts';
import { withHeldSocket } from './held-socket.ts';

/** What is sent, and to whom. */
export interface SendOptions {
  readonly file: string;
  /** Path of a socket that listens; it may be in another user's folder. */
  readonly socket: string;
  readonly signal: AbortSignal;
}

/** Bytes read at a time. */
const PIECE_BYTES = 1024 * 1024;

/**
 * Sends a file to whoever listens at a unix socket, and closes the connection. Returns its CRC-32 as of zlib.
 *
 * @throws {QemuError} `QEMU_IO`, `QEMU_NOT_PERMITTED`, `QEMU_ABORTED`.
 */
export async function sendFile({ file, socket, signal }: SendOptions): Promise<number> {
  const connection = await withHeldSocket(socket, (path) => dial(path, socket));
  let crc = 0;
  const source = createReadStream(file, { highWaterMark: PIECE_BYTES });
  source.on('data', (piece) => {
    if (typeof piece === 'string') return;
    crc = crc32(piece, crc);
  });
  try {
    await pipeline(source, connection, { signal });
    return crc;
  } catch (error) {
    if (signal.aborted) throw abortError(signal);
    throw fileError('send', file, error);
  } finally {
    connection.destroy();
  }
}

function dial(path: string, shown: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', (error) => reject(fileError('connect to', shown, error)));
    // The peer sends nothing on it: without a reader its end would not be seen.
    socket.resume();
  });
}
