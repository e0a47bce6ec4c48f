import { connect, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { listenForAbort } from '../base/abort.ts';
import { errorCode, QemuError } from '../base/errors.ts';
import type { QmpAddress } from './address.ts';
import { connectTls, splitLastByte } from './transport-tls.ts';

/** `sun_path` of unix(7) has 108 bytes and ends in a NUL. */
const MAX_UNIX_PATH_BYTES = 107;
/** Not there yet, no listener yet, or the backlog (1 in QEMU) is full. */
const PASSING_CODES: readonly (string | undefined)[] = ['ENOENT', 'ECONNREFUSED', 'EAGAIN'];

/** How to dial. */
export interface DialOptions {
  /** Tries again while no process listens at the address. */
  readonly retry: boolean;
  /** Ends the attempt; its reason is thrown. */
  readonly signal: AbortSignal;
}

/**
 * Opens a byte stream to a monitor.
 *
 * @throws {QemuError} QEMU_QMP_CONNECT when it cannot be connected to; the reason of `signal` when that is aborted.
 */
export async function openStream(address: QmpAddress, { retry, signal }: DialOptions): Promise<Duplex> {
  if (address.kind === 'stream') return address.stream;
  if (address.kind === 'fd') return adopt(address.fd);
  if (address.kind === 'listener') return address.listener.accept(signal);
  if (address.kind === 'unix') checkUnixPath(address.path);
  let pauseMs = 2;
  for (;;) {
    signal.throwIfAborted();
    try {
      return await dial(address, signal);
    } catch (cause) {
      signal.throwIfAborted();
      if (!retry || !PASSING_CODES.includes(errorCode(cause))) throw connectError(address, cause);
    }
    await pause(pauseMs, signal);
    pauseMs = Math.min(2 * pauseMs, 25);
  }
}

/** The address as text for messages: `unix:PATH`, `tcp:HOST:PORT` … */
export function describeAddress(address: QmpAddress): string {
  switch (address.kind) {
    case 'unix':
      return `unix:${address.path}`;
    case 'tcp':
      return `tcp:${address.host}:${address.port}`;
    case 'fd':
      return `fd:${address.fd}`;
    case 'listener':
    case 'stream':
      return address.kind;
    default:
      return address satisfies never;
  }
}

async function dial(address: Extract<QmpAddress, { kind: 'unix' | 'tcp' }>, signal: AbortSignal): Promise<Duplex> {
  if (address.kind === 'unix') return whenReady(connect({ path: address.path }), 'connect', signal);
  const { host, port, psk } = address;
  if (psk === undefined) return whenReady(connect({ host, port, noDelay: true }), 'connect', signal);
  const socket = await connectTls(host, port, psk);
  await whenReady(socket, 'secureConnect', signal);
  return splitLastByte(socket);
}

function whenReady(socket: Socket, readyEvent: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const settle = (error: Error | undefined): void => {
      ignoreSignal();
      socket.removeListener(readyEvent, onReady);
      socket.removeListener('close', onClose);
      if (error === undefined) {
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(error);
    };
    const onReady = (): void => settle(undefined);
    const onClose = (): void => settle(new Error('Connection was closed'));
    const ignoreSignal = listenForAbort(signal, () => settle(new Error('Aborted')));
    socket.once(readyEvent, onReady);
    socket.once('close', onClose);
    // Stays: an error between here and the session's own listener must not be uncaught.
    socket.on('error', settle);
  });
}

function adopt(fd: number): Socket {
  try {
    return new Socket({ fd, readable: true, writable: true });
  } catch (cause) {
    throw new QemuError('QEMU_QMP_CONNECT', `Cannot use descriptor ${fd} as a monitor`, { cause });
  }
}

function checkUnixPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= MAX_UNIX_PATH_BYTES) return;
  const message = `Cannot connect to "${path}": a socket path has at most ${MAX_UNIX_PATH_BYTES} bytes, this one ${bytes}`;
  throw new QemuError('QEMU_QMP_CONNECT', message);
}

function connectError(address: QmpAddress, cause: unknown): QemuError {
  const isTls = address.kind === 'tcp' && address.psk !== undefined;
  const hint =
    HINTS[errorCode(cause) ?? ''] ?? (isTls ? 'does the key belong to this machine, and its port use TLS?' : undefined);
  const options = { cause, hint };
  return new QemuError('QEMU_QMP_CONNECT', `Cannot connect to "${describeAddress(address)}"`, options);
}

const HINTS: Readonly<Record<string, string>> = {
  EAGAIN: 'another client holds this monitor and one more waits already; a monitor serves one client at a time',
  EACCES: 'run as the user that owns the machine, or as root',
  ECONNREFUSED: 'nothing listens there: is the machine running?',
  ENOENT: 'the socket does not exist: is the machine running?',
};

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch {
    signal.throwIfAborted();
  }
}
