import { chmodSync, lstatSync } from 'node:fs';
import type { Server } from 'node:http';
import { dirname, resolve } from 'node:path';
import { errorCode, QemuError } from '../base/errors.ts';
import { openStream } from '../qmp/transport.ts';
import { removeIfExists } from '../system/files/files.ts';
import { trustPath } from '../system/trust/trusted-path.ts';

/** Where to listen. */
export type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  /** A socket that systemd listens on and hands over (sd_listen_fds(3)). */
  | { readonly kind: 'fd'; readonly fd: number };

/** First descriptor that systemd hands over. */
const FIRST_FD = 3;
export const DEFAULT_PORT = 8780;
const PROBE_MS = 2000;

/** @throws {QemuError} `QEMU_USAGE` for an address that others than this host could reach. */
export function addressOf(text: string | undefined): Address {
  const handed = process.env['LISTEN_PID'] === String(process.pid) && Number(process.env['LISTEN_FDS'] ?? '0') > 0;
  if (handed) {
    // Not for programs that are started from here.
    delete process.env['LISTEN_PID'];
    delete process.env['LISTEN_FDS'];
    return { kind: 'fd', fd: FIRST_FD };
  }
  if (text === undefined) return { kind: 'tcp', host: '127.0.0.1', port: DEFAULT_PORT };
  if (text.startsWith('unix:')) return { kind: 'unix', path: resolve(text.slice('unix:'.length)) };
  const [, host = '', port = ''] = /^(127\.0\.0\.1|localhost|\[::1\]):(\d{1,5})$/.exec(text) ?? [];
  if (host !== '' && Number(port) <= 65_535) {
    return { kind: 'tcp', host: host === '[::1]' ? '::1' : '127.0.0.1', port: Number(port) };
  }
  throw new QemuError('QEMU_USAGE', `"${text}" is not an address of this host alone`, {
    hint: '127.0.0.1:PORT, [::1]:PORT or unix:PATH; for others use ssh -L, or a reverse proxy that asks who they are',
  });
}

/** The token is behind "#", which a browser keeps for itself. */
export function linkOf(address: Address, token: string): string {
  if (address.kind !== 'tcp') return `http://localhost:${DEFAULT_PORT}/#token=${token}`;
  const host = address.host === '::1' ? '[::1]' : address.host;
  return `http://${host}:${address.port}/#token=${token}`;
}

/**
 * Begins to listen. A socket that a killed server has left is used again.
 *
 * @returns whether it is a socket of the file system, which only those reach who may.
 * @throws {QemuError} `QEMU_IO`; `QEMU_NOT_PERMITTED` when others may write to the folder of a socket.
 */
export async function listenAt(server: Server, address: Address): Promise<boolean> {
  if (address.kind === 'unix') trustPlace(address.path);
  try {
    await listen(server, address);
  } catch (error) {
    if (address.kind !== 'unix' || errorCode(error) !== 'EADDRINUSE' || (await answers(address.path))) {
      const message = `Cannot listen: ${error instanceof Error ? error.message : String(error)}`;
      throw new QemuError('QEMU_IO', message, { cause: error });
    }
    removeIfExists(address.path);
    await listen(server, address);
  }
  const bound = server.address();
  // Node.js does not know the path of a socket that was handed over.
  return bound === null || typeof bound === 'string';
}

/** Others could put a link in place of the socket, and get what it leads to opened to a group. */
function trustPlace(path: string): void {
  // The group may write to a socket that a killed server has left, but only the folder decides who can replace it.
  const isLeft = lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true;
  trustPath(isLeft ? dirname(path) : path);
}

async function listen(server: Server, address: Address): Promise<void> {
  // At no moment may others connect.
  const umask = process.umask(0o117);
  try {
    await new Promise<void>((done, fail) => {
      server.once('error', fail);
      server.once('listening', () => {
        server.removeListener('error', fail);
        done();
      });
      if (address.kind === 'fd') server.listen({ fd: address.fd });
      else if (address.kind === 'unix') server.listen({ path: address.path });
      else server.listen({ host: address.host, port: address.port });
    });
  } finally {
    process.umask(umask);
  }
  if (address.kind === 'unix') chmodSync(address.path, 0o660);
}

async function answers(path: string): Promise<boolean> {
  try {
    const stream = await openStream({ kind: 'unix', path }, { retry: false, signal: AbortSignal.timeout(PROBE_MS) });
    stream.destroy();
    return true;
  } catch {
    return false;
  }
}
