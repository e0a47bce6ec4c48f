import { createSocket } from 'node:dgram';
import type { Cleanup } from '../support/temp-root.ts';

/** Addresses by the identifiers of those who have them, in hexadecimal digits. */
export type Leases = ReadonlyMap<string, string>;

const HEADER = 236;
const COOKIE = Buffer.from([99, 130, 83, 99]);
const OPTION = { netmask: 1, leaseTime: 51, messageType: 53, server: 54, client: 61, end: 255 } as const;
const MESSAGE = { discover: 1, offer: 2, request: 3, ack: 5 } as const;

/**
 * Hands out addresses as RFC 2131 (4.2) wants it: one for each client identifier, and only to those without one for each
 * MAC address. Two guests with the same machine-id give the same identifier, and so get the same address.
 *
 * @param prefix of all addresses, such as `192.0.2`; the server is the first of them.
 */
export function serveDhcpByClient(t: Cleanup, prefix: string): Leases {
  const leases = new Map<string, string>();
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  t.after(() => void socket.close());
  socket.on('message', (message) => {
    const options = readOptions(message);
    const type = options.get(OPTION.messageType)?.[0];
    if (type !== MESSAGE.discover && type !== MESSAGE.request) return;
    const client = (options.get(OPTION.client) ?? message.subarray(28, 34)).toString('hex');
    const address = leases.get(client) ?? `${prefix}.${10 + leases.size}`;
    leases.set(client, address);
    const answer = answerTo(message, type === MESSAGE.discover ? MESSAGE.offer : MESSAGE.ack, address, `${prefix}.1`);
    socket.send(answer, 68, '255.255.255.255');
  });
  socket.bind(67, () => socket.setBroadcast(true));
  return leases;
}

function readOptions(message: Buffer): Map<number, Buffer> {
  const options = new Map<number, Buffer>();
  for (let at = HEADER + COOKIE.length; at + 1 < message.length && message[at] !== OPTION.end; ) {
    if (message[at] === 0) {
      at += 1;
      continue;
    }
    const length = message[at + 1] ?? 0;
    options.set(message[at] ?? 0, message.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return options;
}

function answerTo(message: Buffer, type: number, address: string, server: string): Buffer {
  const header = Buffer.from(message.subarray(0, HEADER));
  header[0] = 2;
  bytesOf(address).copy(header, 16);
  bytesOf(server).copy(header, 20);
  const options = [
    [OPTION.messageType, 1, type],
    [OPTION.server, 4, ...bytesOf(server)],
    [OPTION.netmask, 4, 255, 255, 255, 0],
    [OPTION.leaseTime, 4, 0, 0, 14, 16],
    [OPTION.end],
  ];
  return Buffer.concat([header, COOKIE, Buffer.from(options.flat())]);
}

function bytesOf(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}
