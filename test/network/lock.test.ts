import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { on, once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { test } from 'node:test';
import { ipv6Bits } from '../../src/network/taps/ipv6-bits.ts';
import { tapName } from '../../src/network/taps/tap-names.ts';
import { setUpTaps } from '../../src/network/taps/taps.ts';
import { type Cleanup, tempDir } from '../support/temp-root.ts';
import { enterOwnNamespace } from './own-namespace.ts';
import { clearNetwork, makeBridge } from './shell.ts';

await enterOwnNamespace();

const MAC = 'de:ad:be:ef:00:01';
const OTHER_MAC = 'de:ad:be:ef:00:99';
const OWN4 = '192.0.2.2';
const OWN6 = '2001:db8::2';
/** What belongs to the MAC, what `ip=` has besides, and the gateway's. */
const OWN_LINK_LOCAL = 'fe80::dcad:beff:feef:1';
const GIVEN_LINK_LOCAL = 'fe80::77';
const GATEWAY = 'fe80::1';
const ALL_NODES = 'ff02::1';
/** `ip=`. */
const ADDRESSES = [OWN4, OWN6, GIVEN_LINK_LOCAL];

/** A frame that a guest sends, by what it is. */
type Frames = Readonly<Record<string, Buffer>>;

const u16 = (value: number): number[] => [value >> 8, value & 0xff];
const bytesOf = (address: string): number[] =>
  isIPv6(address) ? [...Buffer.from(ipv6Bits(address, 128).value, 'hex')] : address.split('.').map(Number);
const macBytes = (mac: string): number[] => mac.split(':').map((byte) => Number.parseInt(byte, 16));

function frame(etherType: number, payload: readonly number[], from = MAC): Buffer {
  return Buffer.from([...Array(6).fill(0xff), ...macBytes(from), ...u16(etherType), ...payload]);
}

function ipv6(from: string, next: number, payload: readonly number[], mac = MAC): Buffer {
  const header = [0x60, 0, 0, 0, ...u16(payload.length), next, 255, ...bytesOf(from), ...bytesOf(ALL_NODES)];
  return frame(0x86dd, [...header, ...payload], mac);
}

function ipv4(from: string, protocol: number, payload: readonly number[], fragment = 0, length = 0): Buffer {
  const total = u16(length || 20 + payload.length);
  const header = [0x45, 0, ...total, 0, 1, ...u16(fragment), 64, protocol, 0, 0, ...bytesOf(from)];
  return frame(0x0800, [...header, 255, 255, 255, 255, ...payload]);
}

function arp(sender: string, senderMac = MAC): Buffer {
  const fixed = [0, 1, 8, 0, 6, 4, 0, 2];
  return frame(0x0806, [...fixed, ...macBytes(senderMac), ...bytesOf(sender), ...Array(6).fill(0), 192, 0, 2, 1]);
}

const udp = (from: number, to: number): number[] => [...u16(from), ...u16(to), 0, 16, 0, 0, ...Array(8).fill(0)];
const ICMPV6 = 58;
const UDP = 17;
const neighbour = (type: 135 | 136, target: string): number[] => [type, 0, 0, 0, 0x60, 0, 0, 0, ...bytesOf(target)];
const ROUTER_ADVERT = [134, 0, 0, 0, 64, 0, 7, 8, ...Array(8).fill(0)];
const REDIRECT = [137, 0, 0, 0, ...Array(36).fill(0)];
/** Fragment header: the first of two, and the second. */
const firstOf = (next: number): number[] => [next, 0, 0, 1, 0, 0, 0, 1];
const secondOf = (next: number): number[] => [next, 0, ...u16(8), 0, 0, 0, 1];
/** A header of 8 bytes with nothing but padding: hop-by-hop or destination options. */
const padding = (next: number): number[] => [next, 0, 1, 4, 0, 0, 0, 0];
const [HOP_BY_HOP, FRAGMENT, DESTINATION, MOBILITY] = [0, 44, 60, 135];

const GOOD: Frames = {
  'IPv4 from its own address': ipv4(OWN4, UDP, udp(1000, 2000)),
  'a fragment of IPv4': ipv4(OWN4, UDP, udp(1000, 2000), 0x2000),
  'a search for a DHCP server': ipv4('0.0.0.0', UDP, udp(68, 67)),
  'ARP for its own address': arp(OWN4),
  'IPv6 from its own address': ipv6(OWN6, UDP, udp(1000, 2000)),
  'a fragment of UDP over IPv6': ipv6(OWN6, FRAGMENT, [...firstOf(UDP), ...udp(1000, 2000)]),
  'a later fragment of UDP over IPv6': ipv6(OWN6, FRAGMENT, [...secondOf(UDP), ...udp(1000, 2000)]),
  'UDP after options': ipv6(OWN6, DESTINATION, [...padding(UDP), ...udp(1000, 2000)]),
  'IPv6 from the link-local address of its MAC': ipv6(OWN_LINK_LOCAL, UDP, udp(546, 547)),
  'IPv6 from a given link-local address': ipv6(GIVEN_LINK_LOCAL, UDP, udp(1000, 2000)),
  'an advertisement of its own address': ipv6(OWN6, ICMPV6, neighbour(136, OWN6)),
  'an advertisement of its link-local address': ipv6(OWN_LINK_LOCAL, ICMPV6, neighbour(136, OWN_LINK_LOCAL)),
  'the question whether its address is free': ipv6('::', ICMPV6, neighbour(135, OWN_LINK_LOCAL)),
  'a report of groups after a hop-by-hop header': ipv6('::', HOP_BY_HOP, [
    ...padding(ICMPV6),
    143,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
  ]),
  'a search for a router': ipv6(OWN_LINK_LOCAL, ICMPV6, [133, 0, 0, 0, 0, 0, 0, 0]),
};

const BAD: Frames = {
  'IPv4 from another MAC': frame(0x0800, [...ipv4(OWN4, UDP, udp(1000, 2000)).subarray(14)], OTHER_MAC),
  'IPv4 from another address': ipv4('192.0.2.3', UDP, udp(1000, 2000)),
  'ARP for the address of the gateway': arp('192.0.2.1'),
  'ARP with another MAC inside': arp(OWN4, OTHER_MAC),
  'the answer of a DHCP server': ipv4(OWN4, UDP, udp(67, 68)),
  'the answer of a DHCP server from another port': ipv4(OWN4, UDP, udp(1067, 68)),
  'the first fragment of such an answer': ipv4(OWN4, UDP, udp(67, 68), 0x2000),
  'such an answer with a length that is not true': ipv4(OWN4, UDP, udp(67, 68), 0, 200),
  'the answer of a DHCPv6 server': ipv6(OWN_LINK_LOCAL, UDP, udp(547, 546)),
  'the answer of a DHCPv6 server from another port': ipv6(OWN_LINK_LOCAL, UDP, udp(1547, 546)),
  'the answer of a DHCPv6 server after options': ipv6(OWN6, DESTINATION, [...padding(UDP), ...udp(547, 546)]),
  'the answer of a DHCPv6 server in a fragment': ipv6(OWN6, FRAGMENT, [...firstOf(UDP), ...udp(547, 546)]),
  'IPv6 from another address': ipv6('2001:db8::3', UDP, udp(1000, 2000)),
  'IPv6 from another link-local address': ipv6('fe80::1234', UDP, udp(1000, 2000)),
  'IPv6 from the gateway': ipv6(GATEWAY, UDP, udp(1000, 2000)),
  'an advertisement of the gateway': ipv6(OWN_LINK_LOCAL, ICMPV6, neighbour(136, GATEWAY)),
  'an advertisement of the gateway from it': ipv6(GATEWAY, ICMPV6, neighbour(136, GATEWAY)),
  'an advertisement of the gateway after options': ipv6(OWN6, DESTINATION, [
    ...padding(ICMPV6),
    ...neighbour(136, GATEWAY),
  ]),
  'the question whether the address of the gateway is free': ipv6('::', ICMPV6, neighbour(135, GATEWAY)),
  'an echo from no address': ipv6('::', ICMPV6, [128, 0, 0, 0, 0, 0, 0, 0]),
  'a router advertisement': ipv6(OWN_LINK_LOCAL, ICMPV6, ROUTER_ADVERT),
  'a router advertisement after a hop-by-hop header': ipv6(OWN_LINK_LOCAL, HOP_BY_HOP, [
    ...padding(ICMPV6),
    ...ROUTER_ADVERT,
  ]),
  'a redirect': ipv6(OWN_LINK_LOCAL, ICMPV6, REDIRECT),
  'a fragmented router advertisement': ipv6(OWN_LINK_LOCAL, FRAGMENT, [...firstOf(ICMPV6), ...ROUTER_ADVERT]),
  'its second fragment': ipv6(OWN_LINK_LOCAL, FRAGMENT, [...secondOf(ICMPV6), ...ROUTER_ADVERT]),
  'a fragment with a header before ICMPv6': ipv6(OWN_LINK_LOCAL, FRAGMENT, [
    ...firstOf(DESTINATION),
    ...padding(ICMPV6),
  ]),
  'its second fragment, with the advertisement': ipv6(OWN_LINK_LOCAL, FRAGMENT, [
    ...secondOf(DESTINATION),
    ...ROUTER_ADVERT,
  ]),
  'a fragment after a hop-by-hop header': ipv6(OWN_LINK_LOCAL, HOP_BY_HOP, [
    ...padding(FRAGMENT),
    ...secondOf(ICMPV6),
    ...ROUTER_ADVERT,
  ]),
  'a fragment in a fragment': ipv6(OWN_LINK_LOCAL, FRAGMENT, [
    ...firstOf(FRAGMENT),
    ...firstOf(ICMPV6),
    ...ROUTER_ADVERT,
  ]),
  'a fragmented advertisement of the gateway': ipv6(OWN6, FRAGMENT, [...firstOf(ICMPV6), ...neighbour(136, GATEWAY)]),
  'ICMPv6 after a header that the kernel does not know': ipv6(OWN6, MOBILITY, [...padding(ICMPV6), ...ROUTER_ADVERT]),
  'ICMPv6 after a header that is cut off': ipv6(OWN6, DESTINATION, [ICMPV6, 200, 1, 4, 0, 0, 0, 0, ...ROUTER_ADVERT]),
  'neither IPv4, IPv6 nor ARP': frame(0x88cc, Array(46).fill(0)),
};

/** Two taps on one bridge, the first of them locked; QEMU carries frames between them and us, as it does for a guest. */
async function cable(t: Cleanup, lock: boolean): Promise<{ send(frame: Buffer): void; heard: Socket }> {
  clearNetwork();
  makeBridge('br0');
  plainBridges();
  const common = { bridge: 'br0', queues: 1, isolated: false };
  await setUpTaps(
    [
      { ...common, machine: 'web', index: 1, tap: tapName('web', 1), mac: MAC, lock, addresses: lock ? ADDRESSES : [] },
      { ...common, machine: 'web', index: 2, tap: tapName('web', 2), mac: OTHER_MAC, lock: false, addresses: [] },
    ],
    { tapsDir: tempDir(t) },
  );
  const [speaker, heard] = [createSocket('udp4'), createSocket('udp4')];
  t.after(() => {
    speaker.close();
    heard.close();
  });
  for (const socket of [speaker, heard]) {
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
  }
  const ends = [speaker, heard].map((socket, at) => ({ port: socket.address().port, local: 40_001 + at, at }));
  const qemu = spawn(
    'qemu-system-x86_64',
    [
      ...['-machine', 'none', '-nodefaults', '-no-user-config', '-display', 'none', '-qmp', 'stdio'],
      ...ends.flatMap(({ port, local, at }) => [
        ...['-netdev', `tap,id=tap${at},ifname=${tapName('web', at + 1)},script=no,downscript=no`],
        ...['-netdev', `socket,id=udp${at},udp=127.0.0.1:${port},localaddr=127.0.0.1:${local}`],
        ...['-netdev', `hubport,id=a${at},hubid=${at},netdev=tap${at}`],
        ...['-netdev', `hubport,id=b${at},hubid=${at},netdev=udp${at}`],
      ]),
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  t.after(async () => {
    qemu.kill('SIGKILL');
    await once(qemu, 'exit');
  });
  await once(qemu.stdout, 'data');
  return { send: (sent) => speaker.send(sent, 40_001, '127.0.0.1'), heard };
}

/** Where br_netfilter is loaded, it drops on the bridge what is no valid packet: then the rules would not be what is tested. */
function plainBridges(): void {
  for (const name of ['iptables', 'ip6tables', 'arptables']) {
    const path = `/proc/sys/net/bridge/bridge-nf-call-${name}`;
    if (existsSync(path)) writeFileSync(path, '0');
  }
}

/** Sends frames one after the other and returns which of them come out at the other tap: frames keep their order on a bridge. */
async function heardOf(t: Cleanup, lock: boolean, frames: Frames): Promise<string[]> {
  const { send, heard } = await cable(t, lock);
  const names = new Map(Object.entries(frames).map(([name, sent]) => [pad(sent).toString('hex'), name]));
  const found: string[] = [];
  heard.on('message', (message) => {
    const name = names.get(pad(message).toString('hex'));
    if (name !== undefined) found.push(name);
  });
  // A bridge forwards some time after its ports have come up.
  const first = ipv4(OWN4, UDP, udp(1, 1));
  const timer = setInterval(() => send(first), 20);
  await isHeard(heard, first).finally(() => clearInterval(timer));
  for (const sent of Object.values(frames)) send(sent);
  const last = ipv4(OWN4, UDP, udp(9, 9));
  send(last);
  await isHeard(heard, last);
  return found;
}

async function isHeard(heard: Socket, wanted: Buffer): Promise<void> {
  for await (const [message] of on(heard, 'message', { signal: AbortSignal.timeout(20_000) })) {
    if (pad(message).equals(pad(wanted))) return;
  }
}

/** Shortest frame of Ethernet, which QEMU pads to on some ways. */
function pad(message: Buffer): Buffer {
  return message.length >= 60 ? message : Buffer.concat([message, Buffer.alloc(60 - message.length)]);
}

test('with lock=on,ip=… a guest reaches others from its own addresses', async (t) => {
  assert.deepEqual(await heardOf(t, true, GOOD), Object.keys(GOOD));
});

test('with lock=on,ip=… a guest is no router, no DHCP server and no neighbour, whatever its packets look like', async (t) => {
  assert.deepEqual(await heardOf(t, true, BAD), []);
});

test('without lock=on all of that reaches the others', async (t) => {
  assert.deepEqual(await heardOf(t, false, BAD), Object.keys(BAD));
});
