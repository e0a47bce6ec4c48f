import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import { fileError } from '../files/file-error.ts';
import { removeIfExists } from '../files/files.ts';

/** A unix socket that says one word to the first who connects, which shows that the way to it is open. */
export interface WordSocket {
  readonly word: string;
  close(): void;
}

/** @param path in a folder that only its user may write to. @throws {QemuError} `QEMU_IO`, `QEMU_NOT_PERMITTED`. */
export async function listenWithWord(path: string): Promise<WordSocket> {
  const word = randomUUID();
  const close = (): void => {
    server.close();
    removeIfExists(path);
  };
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(word);
    close();
  });
  server.listen(path);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw fileError('make socket', path, error);
  }
  server.unref();
  return { word, close };
}

/** What a unix socket says; empty when it says nothing in time, or is not there. */
export function readWord(path: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    let text = '';
    socket.setTimeout(timeoutMs, () => socket.destroy());
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text = `${text}${chunk}`.slice(0, 1000);
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}
