import { connect, createServer, isIP } from 'node:net';
import { errorCode, QemuError } from '../base/errors.ts';
import { readTextIfExists } from './files/files.ts';

const IPV6_LOOPBACK = /^0{31}1 [0-9a-f]+ [0-9a-f]+ [0-9a-f]+ [0-9a-f]+ +lo$/m;

/** Whether this host's loopback interface has the address `::1`, from `/proc/net/if_inet6`. */
export function hasIpv6Loopback(): boolean {
  return IPV6_LOOPBACK.test(readTextIfExists('/proc/net/if_inet6') ?? '');
}

/**
 * Whether a TCP port is free on all addresses.
 *
 * Listens for a moment on the wildcard address of both families, which fails if anything listens on any address of
 * either family. That costs 0.1 ms; /proc/net/tcp would cost 8 ms, an address in the call 5 ms. Like QEMU's own sockets
 * Node's have SO_REUSEADDR: a closed connection in TIME_WAIT does not block a port.
 *
 * @throws {QemuError} `QEMU_IO` when that cannot be found out, for instance without free file descriptors.
 */
export function isPortFree(port: number): Promise<boolean> {
  if (port < 1 || port > 65_535) return Promise.resolve(false);
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      const code = errorCode(error);
      if (code === 'EADDRINUSE' || code === 'EACCES') resolve(false);
      else reject(new QemuError('QEMU_IO', `Cannot try port ${port}`, { cause: error }));
    });
    server.listen({ port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** How long to wait for a host that drops the first packet. */
const CONNECT_MS = 2_000;

/** Whether something listens at a TCP port. */
export function canConnect(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_MS });
    const finish = (connected: boolean): void => {
      socket.destroy();
      resolve(connected);
    };
    socket.on('connect', () => finish(true));
    socket.on('timeout', () => finish(false));
    socket.on('error', () => finish(false));
  });
}

/** Most of it that is read. */
const MOST_BANNER = 255;

/** What a TCP server says first, such as `SSH-2.0-…`; empty if nothing listens, or it says nothing for two seconds. */
export function readBanner(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_MS });
    const finish = (banner: string): void => {
      socket.destroy();
      resolve(banner);
    };
    socket.once('data', (data) => finish(data.toString('latin1', 0, MOST_BANNER)));
    socket.on('timeout', () => finish(''));
    socket.on('error', () => finish(''));
    socket.on('close', () => finish(''));
  });
}

/**
 * Why a program of this user could not listen there now, as the code of the error: `EADDRINUSE`, `EADDRNOTAVAIL` (not
 * an address of this host), `EACCES`; undefined when it could.
 *
 * @param host numeric, since a name could take its time; empty: any address.
 * @param port 0: any port.
 */
export async function listenProblem(protocol: 'tcp' | 'udp', host: string, port: number): Promise<string | undefined> {
  const address = { port, exclusive: true, ...(host === '' ? {} : { host, address: host }) };
  if (protocol === 'tcp') {
    return new Promise((resolve) => {
      const server = createServer();
      server.once('error', (error) => resolve(errorCode(error) ?? 'EINVAL'));
      server.listen(address, () => server.close(() => resolve(undefined)));
    });
  }
  // Loaded on demand, since every call of the tools would pay for it.
  const { createSocket } = await import('node:dgram');
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', (error) => socket.close(() => resolve(errorCode(error) ?? 'EINVAL')));
    socket.bind(address, () => socket.close(() => resolve(undefined)));
  });
}

/** The family of a numeric address; undefined for any other text. Pure. */
export function ipFamily(text: string): 'ipv4' | 'ipv6' | undefined {
  const version = isIP(text);
  if (version === 0) return undefined;
  return version === 4 ? 'ipv4' : 'ipv6';
}
