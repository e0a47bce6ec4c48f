import { connect, createServer } from 'node:net';
import { errorCode, QemuError } from '../errors.ts';
import { readTextIfExists } from './files.ts';

const IPV6_LOOPBACK = /^0{31}1 [0-9a-f]+ [0-9a-f]+ [0-9a-f]+ [0-9a-f]+ +lo$/m;

/** Whether this host's loopback interface has the address `::1`, from `/proc/net/if_inet6`. */
export function hasIpv6Loopback(): boolean {
  return IPV6_LOOPBACK.test(readTextIfExists('/proc/net/if_inet6') ?? '');
}

/**
 * Whether a TCP port can be listened on at each of these addresses at this moment. An IPv6 address that this host does
 * not have is passed over.
 *
 * @throws {QemuError} `QEMU_IO` when that cannot be found out, for instance without free file descriptors.
 */
export async function isPortFree(port: number, hosts: readonly string[]): Promise<boolean> {
  if (port < 1 || port > 65_535) return false;
  for (const host of hosts) {
    if (!(await canListen(port, host))) return false;
  }
  return true;
}

/** Like QEMU's own sockets Node's have SO_REUSEADDR: a closed connection in TIME_WAIT holds no port. */
function canListen(port: number, host: string): Promise<boolean> {
  const isIpv6 = host.includes(':');
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      const code = errorCode(error);
      if (code === 'EADDRINUSE' || code === 'EACCES') resolve(false);
      else if (isIpv6 && (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT')) resolve(true);
      else reject(new QemuError('QEMU_IO', `Cannot try port ${port} of "${host}"`, { cause: error }));
    });
    server.listen({ port, host, exclusive: true, ipv6Only: isIpv6 }, () => server.close(() => resolve(true)));
  });
}

/** How long a host that swallows the first packet is waited for. */
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
