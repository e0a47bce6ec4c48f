import { existsSync } from 'node:fs';
import { run } from '../../system/process/exec.ts';
import { commandFailed, searchPath } from '../commands.ts';
import { bridgePorts, interfaceExists, readAttribute } from '../sysfs.ts';
import type { HostAddress, HostRoute, InterfaceState } from './bridge-plan.ts';

/**
 * The state of an interface with its addresses and routes; undefined when no interface has that name.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` or `QEMU_NOT_INSTALLED` when `ip` fails or is missing.
 */
export async function readInterface(name: string, signal?: AbortSignal): Promise<InterfaceState | undefined> {
  if (!interfaceExists(name)) return undefined;
  const [addresses, routes4, routes6] = await Promise.all([
    ipJson(['address', 'show', 'dev', name], signal),
    ipJson(['-4', 'route', 'show', 'table', 'all', 'dev', name], signal),
    ipJson(['-6', 'route', 'show', 'table', 'all', 'dev', name], signal),
  ]);
  const flags = Number(readAttribute(name, 'flags') ?? 0);
  return {
    name,
    isBridge: readAttribute(name, 'bridge/bridge_id') !== undefined,
    isWireless: ['wireless', 'phy80211'].some((entry) => existsSync(`/sys/class/net/${name}/${entry}`)),
    isUp: (flags & IFF_UP) !== 0,
    isLoopback: (flags & IFF_LOOPBACK) !== 0,
    vlanAware: readAttribute(name, 'bridge/vlan_filtering') === '1',
    mac: readAttribute(name, 'address') ?? '',
    mtu: Number(readAttribute(name, 'mtu') ?? 0),
    alias: readAttribute(name, 'ifalias') ?? '',
    master: masterOf(name),
    ports: bridgePorts(name),
    addresses: addresses.flatMap(({ addr_info }) =>
      Array.isArray(addr_info) ? addr_info.flatMap(movableAddress) : [],
    ),
    routes: [
      ...routes4.flatMap((route) => movableRoute(route, '0.0.0.0/0')),
      ...routes6.flatMap((route) => movableRoute(route, '::/0')),
    ].sort((a, b) => Number(hasGateway(a)) - Number(hasGateway(b))),
  };
}

/** The addresses with prefix length of every interface, including those that a bridge would not take over. */
export async function readAddresses(signal?: AbortSignal): Promise<Map<string, string[]>> {
  const interfaces = await ipJson(['address', 'show'], signal);
  return new Map(
    interfaces.map(({ ifname, addr_info }) => [
      String(ifname),
      Array.isArray(addr_info) ? addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`) : [],
    ]),
  );
}

/** netdevice(7). */
const IFF_UP = 0x1;
const IFF_LOOPBACK = 0x8;

type JsonObject = Readonly<Record<string, unknown>>;

async function ipJson(args: readonly string[], signal: AbortSignal | undefined): Promise<JsonObject[]> {
  const env = { PATH: searchPath(process.env) };
  const { exitCode, stdout, stderr } = await run('ip', ['-json', ...args], { env, signal });
  if (exitCode !== 0) throw commandFailed(`Cannot query the kernel with "ip ${args.join(' ')}"`, stderr);
  // Nothing to list is printed as nothing by some versions, and as [] or [{}] by others.
  const list: unknown = JSON.parse(stdout.trim() || '[]');
  return Array.isArray(list) ? list : [];
}

function masterOf(name: string): string | undefined {
  const line = readAttribute(name, 'master/uevent');
  return line === undefined ? undefined : /^INTERFACE=(.+)$/m.exec(line)?.[1];
}

/** Addresses from router advertisements appear on their own on every interface that receives them (RFC 4862). */
function movableAddress(info: JsonObject): HostAddress[] {
  const { family, local, prefixlen, scope, dynamic, broadcast, metric, noprefixroute } = info;
  if (scope !== 'global' || (family === 'inet6' && dynamic === true)) return [];
  return [
    {
      address: `${local}/${prefixlen}`,
      options: words(
        typeof broadcast === 'string' && `broadcast ${broadcast}`,
        typeof metric === 'number' && `metric ${metric}`,
        noprefixroute === true && 'noprefixroute',
        // It was in use a moment ago, so duplicate address detection is not needed.
        family === 'inet6' && 'nodad',
        dynamic === true && `valid_lft ${info['valid_life_time']} preferred_lft ${info['preferred_life_time']}`,
      ),
    },
  ];
}

/** Routes made by the kernel or by router advertisements appear together with the addresses. */
function movableRoute(route: JsonObject, everywhere: string): HostRoute[] {
  const { dst, protocol, table, type, gateway, metric, prefsrc, scope, flags } = route;
  const isOwn =
    protocol === 'kernel' || protocol === 'ra' || table === 'local' || (type !== undefined && type !== 'unicast');
  if (typeof dst !== 'string' || isOwn) return [];
  return [
    {
      destination: dst === 'default' ? everywhere : dst,
      options: words(
        typeof gateway === 'string' && `via ${gateway}`,
        typeof prefsrc === 'string' && `src ${prefsrc}`,
        typeof metric === 'number' && `metric ${metric}`,
        typeof scope === 'string' && `scope ${scope}`,
        typeof protocol === 'string' && `proto ${protocol}`,
        (typeof table === 'string' || typeof table === 'number') && `table ${table}`,
        Array.isArray(flags) && flags.includes('onlink') && 'onlink',
      ),
    },
  ];
}

function hasGateway({ options }: HostRoute): boolean {
  return options.startsWith('via ');
}

function words(...parts: readonly (string | false)[]): string {
  return parts.filter((part) => part !== false).join(' ');
}
