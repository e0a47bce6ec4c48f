import { quote } from '../base/text.ts';
import type { HostForward, NetBackend, NicConfig } from './device-config.ts';
import { NET_BACKENDS } from './keys/values.ts';
import { keySpec } from './keys.ts';
import { type OptionList, parseOptionList, rateOf, renderOptionList, type ValueContext } from './text/option-list.ts';
import {
  INTERFACE_NAME_RULE,
  isInterfaceName,
  isIpv4,
  isIpv6,
  isMac,
  isMulticastMac,
  renderSize,
} from './text/values.ts';

/** A NIC before it is known which bridge is the machine's own. */
export type ParsedNic = Omit<NicConfig, 'bridge'> & { readonly bridge: string | undefined };

/** Reads a `NICx`; undefined when it has no model. Problems are reported. */
export function parseNic(text: string, index: number, context: ValueContext): ParsedNic | undefined {
  const list = parseOptionList(text, keySpec('NIC').options ?? [], 'word', context);
  const model = readModel(list.head.trim(), context);
  const queues = list.integer('queues');
  if (model !== undefined && (queues ?? 1) > 1 && !model.startsWith('virtio-net')) {
    context.report(`${context.key} has queues=${queues}, which "${model}" does not support`, {
      hint: 'use virtio-net-pci',
    });
  }
  const net = NET_BACKENDS.find((backend) => backend === list.get('net')) ?? 'bridge';
  checkFit(list, net, context);
  if (model === undefined) return undefined;
  return {
    index,
    model,
    net,
    hasOwnBridge: net === 'bridge' && list.get('bridge') !== undefined,
    bridge: readChecked(list.get('bridge'), checkBridge, `${context.key} bridge`, context),
    mac: readChecked(list.get('mac'), checkMac, `${context.key} mac`, context),
    hostForwards: list.all('hostfwd').flatMap((forward) => readHostForward(forward, net, context)),
    vlan: list.integer('vlan'),
    queues,
    mtu: list.integer('mtu'),
    isolated: list.get('isolated') === 'on',
    lock: list.get('lock') === 'on',
    ...rateOf(list, context),
    addresses: list.all('ip').filter((address) => {
      return readChecked(address, checkAddress, `${context.key} ip`, context) !== undefined;
    }),
    bootIndex: list.integer('bootindex'),
  };
}

/** Writes a NIC as {@link parseNic} reads it. */
export function renderNic(nic: NicConfig): string {
  return renderOptionList(nic.model, [
    ['net', nic.net === 'bridge' ? undefined : nic.net],
    ['bridge', nic.hasOwnBridge ? nic.bridge : undefined],
    ['mac', nic.mac],
    ...nic.hostForwards.map((forward) => ['hostfwd', renderHostForward(forward)] as const),
    ['vlan', nic.vlan?.toString()],
    ['queues', nic.queues?.toString()],
    ['mtu', nic.mtu?.toString()],
    ['isolated', nic.isolated ? 'on' : undefined],
    ['lock', nic.lock ? 'on' : undefined],
    ['rate', nic.rate === undefined ? undefined : renderSize(nic.rate)],
    ...nic.addresses.map((address) => ['ip', address] as const),
    ['bootindex', nic.bootIndex?.toString()],
  ]);
}

/** Why a text is not a bridge name; undefined if it is one. */
export function checkBridge(text: string): string | undefined {
  return isInterfaceName(text) ? undefined : `is not the name of an interface; ${INTERFACE_NAME_RULE}`;
}

/** Words that other programs use for networks; no network card has such a name. */
const NOT_MODELS: Readonly<Record<string, string>> = { nat: 'user', slirp: 'user', tap: 'bridge', bridged: 'bridge' };

function readModel(text: string, { key, report }: ValueContext): string | undefined {
  if (text === 'virtio') return 'virtio-net-pci';
  const net = NET_BACKENDS.find((backend) => backend === (NOT_MODELS[text.toLowerCase()] ?? text.toLowerCase()));
  if (net !== undefined) {
    report(`${key} ${quote(text)} is not a model of a network card`, { hint: `write ${key}=virtio,net=${net}` });
    return undefined;
  }
  if (/^[A-Za-z0-9_.-]+$/.test(text)) return text;
  const expected = 'start with a QEMU NIC model such as virtio-net-pci or e1000';
  report(`${key} ${quote(text)} is not a model: it may have only letters, digits, "_", "." and "-"`, {
    hint: expected,
  });
  return undefined;
}

function checkFit(list: OptionList, net: NetBackend, { key, report }: ValueContext): void {
  if (list.all('hostfwd').length > 0 && net !== 'user' && net !== 'passt') {
    report(`${key} has hostfwd= without net=user`, { hint: 'add net=user' });
  }
  if (list.all('ip').length > 0 && list.get('lock') !== 'on') {
    report(`${key} has ip= without lock=on`, { hint: 'add lock=on' });
  }
  if (net === 'bridge') return;
  const onTapOnly = ['bridge', 'vlan', 'queues', 'isolated', 'lock', 'rate'].filter(
    (name) => list.get(name) !== undefined,
  );
  for (const name of onTapOnly) report(`${key} has ${name}= with net=${net}; it needs net=bridge`);
}

function readChecked(
  text: string | undefined,
  check: (text: string) => string | undefined,
  label: string,
  { report }: ValueContext,
): string | undefined {
  if (text === undefined) return undefined;
  const problem = check(text);
  if (problem === undefined) return text;
  report(`${label} ${quote(text)} ${problem}`);
  return undefined;
}

function checkMac(text: string): string | undefined {
  if (!isMac(text)) return 'is not a MAC address; it must be xx:xx:xx:xx:xx:xx in hexadecimal';
  if (isMulticastMac(text)) return 'is a multicast address; the first byte must be even';
  return text === '00:00:00:00:00:00' ? 'cannot be the address of a NIC' : undefined;
}

function checkAddress(text: string): string | undefined {
  const [, address = '', prefix] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const bits = isIpv4(address) ? 32 : isIpv6(address) ? 128 : undefined;
  if (bits !== undefined && Number(prefix ?? 0) <= bits) return undefined;
  return 'is not an address such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::7';
}

const HOST_FORWARD = /^(tcp|udp)?:(\[[^\]]*\]|[^:[\]]*):(\d{1,5})-(\[[^\]]*\]|[^:[\]]*):(\d{1,5})$/i;

function readHostForward(text: string, net: NetBackend, { key, report }: ValueContext): HostForward[] {
  const [, protocol, host, hostPort, guest, guestPort] = HOST_FORWARD.exec(text) ?? [];
  const forward: HostForward = {
    protocol: protocol?.toLowerCase() === 'udp' ? 'udp' : 'tcp',
    hostAddress: withoutBrackets(host),
    hostPort: Number(hostPort),
    guestAddress: withoutBrackets(guest),
    guestPort: Number(guestPort),
  };
  const addresses = [forward.hostAddress, forward.guestAddress];
  if ([forward.hostPort, forward.guestPort].every(isPort) && addresses.every(isAddressOrEmpty)) {
    if (net === 'passt' && forward.guestAddress !== '') {
      report(`${key} hostfwd ${quote(text)} has a guest address, which net=passt does not support`, {
        hint: 'leave it empty: passt gives the guest only one address',
      });
      return [];
    }
    if (net === 'user' && addresses.some((address) => address.includes(':'))) {
      report(`${key} hostfwd ${quote(text)} is IPv6, which QEMU does not forward with net=user`, {
        hint: 'net=passt forwards IPv6 too',
      });
      return [];
    }
    return [forward];
  }
  report(`${key} hostfwd must be like tcp:127.0.0.1:2222-:22, not ${quote(text)}`, {
    hint: 'addresses must be numeric, IPv6 in brackets; ports from 1 to 65535',
  });
  return [];
}

function renderHostForward(forward: HostForward): string {
  const host = withBrackets(forward.hostAddress);
  const guest = withBrackets(forward.guestAddress);
  return `${forward.protocol}:${host}:${forward.hostPort}-${guest}:${forward.guestPort}`;
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65535;
}

function isAddressOrEmpty(address: string): boolean {
  return address === '' || isIpv4(address) || isIpv6(address);
}

function withoutBrackets(address: string | undefined): string {
  return address?.replace(/^\[(.*)\]$/, '$1') ?? '';
}

function withBrackets(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
