import { existsSync, readFileSync, statSync } from 'node:fs';
import type { NicConfig } from '../../config/device-config.ts';
import { findProgram, run } from '../../system/process/exec.ts';
import { searchPath } from '../commands.ts';
import { normalizeMac } from '../mac/mac.ts';
import { interfaceExists, interfaceNames, readAttribute, readBridge } from '../sysfs.ts';
import { parseOwnerAlias } from '../taps/owner-alias.ts';
import { isOurs, scopeOf } from '../taps/ownership.ts';

/** What the checks of the host's network need to know of a NIC. */
export interface CheckedNic {
  /** Long name. */
  readonly machine: string;
  readonly index: number;
  readonly tap: string;
  /** Upper case. */
  readonly mac: string;
  readonly net: NicConfig['net'];
  readonly bridge: string;
  readonly vlan: number | undefined;
  readonly mtu: number | undefined;
  readonly lock: boolean;
  readonly rate?: number | undefined;
  readonly runAs: string | undefined;
  /** QEMU calls a script of the administrator's for it, whose bridges may be none of Linux's. */
  readonly isForeign?: boolean | undefined;
}

/** What a start depends on, and can be seen without running a program. */
export interface StartFacts {
  readonly tunDevice: 'missing' | 'open to all' | 'restricted';
  /** Those of `ip`, `bridge`, `nft` and `passt` that are installed. */
  readonly programs: ReadonlySet<string>;
  /** The bridges that NICs name, except those of foreign scripts. */
  readonly bridges: readonly BridgeState[];
}

/** What was seen on the host. */
export interface NetworkFacts extends StartFacts {
  /** This process may make taps and bridges. */
  readonly hasNetAdmin: boolean;
  /** Families whose bridged packets pass a FORWARD chain with the policy drop. */
  readonly filteredBridging: readonly ('ipv4' | 'ipv6')[];
  /** Taps of ours that no QEMU has open. */
  readonly unusedTaps: readonly { readonly tap: string; readonly machine: string }[];
  /** Interfaces with the name of a NIC's tap that are not ours. */
  readonly foreignTaps: readonly string[];
  /** Addresses, upper case, that bridges have learned. */
  readonly learned: readonly { readonly mac: string; readonly port: string; readonly bridge: string }[];
}

export interface BridgeState {
  readonly name: string;
  readonly state: 'missing' | 'no bridge' | 'down' | 'up';
  readonly vlanAware: boolean;
  /** Bytes. */
  readonly mtu: number;
}

/** The part of {@link readNetworkFacts} that a start depends on. */
export function readStartFacts(nics: readonly CheckedNic[]): StartFacts {
  const joined = nics.filter(({ net, isForeign }) => net === 'bridge' && isForeign !== true);
  return {
    tunDevice: readTunDevice(),
    programs: new Set(PROGRAMS.filter((name) => findProgram(name, searchPath(process.env)) !== undefined)),
    bridges: [...new Set(joined.map(({ bridge }) => bridge))].map(readBridgeState),
  };
}

/**
 * Looks at the host. Whatever cannot be determined, for lack of rights or programs, counts as fine.
 *
 * @param tapsDir `tapsDir` of the scope.
 */
export async function readNetworkFacts(
  nics: readonly CheckedNic[],
  tapsDir: string,
  signal?: AbortSignal,
): Promise<NetworkFacts> {
  const onBridges = nics.filter(({ net }) => net === 'bridge');
  const facts = readStartFacts(nics);
  const scope = scopeOf(tapsDir);
  return {
    ...facts,
    hasNetAdmin: hasNetAdmin(),
    filteredBridging: await readFilteredBridging(signal),
    unusedTaps: interfaceNames().flatMap((tap) => {
      const owner = parseOwnerAlias(readAttribute(tap, 'ifalias'));
      // A tap has a carrier while a process has it open.
      return owner?.scope === scope && readAttribute(tap, 'carrier') === '0' ? [{ tap, machine: owner.machine }] : [];
    }),
    foreignTaps: onBridges
      .filter(({ tap, machine }) => interfaceExists(tap) && !isOurs(tap, machine, tapsDir) && !isHookTap(tap, tapsDir))
      .map(({ tap }) => tap),
    learned: facts.programs.has('bridge') ? await readLearned(signal) : [],
  };
}

const PROGRAMS = ['ip', 'bridge', 'nft', 'passt'];

/** A tap that QEMU has made with NETIF=hook has no alias, but a note. */
function isHookTap(tap: string, tapsDir: string): boolean {
  return existsSync(`${tapsDir}/${tap}`) && readAttribute(tap, 'tun_flags') !== undefined;
}

function readTunDevice(): NetworkFacts['tunDevice'] {
  const stats = statSync('/dev/net/tun', { throwIfNoEntry: false });
  if (stats === undefined) return 'missing';
  return (stats.mode & 0o006) === 0o006 ? 'open to all' : 'restricted';
}

/** Bit of CAP_NET_ADMIN, capabilities(7). */
const CAP_NET_ADMIN = 12n;

function hasNetAdmin(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readText('/proc/self/status'))?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> CAP_NET_ADMIN) & 1n) === 1n;
}

function readBridgeState(name: string): BridgeState {
  const facts = readBridge(name);
  if (facts === undefined) return { name, state: 'missing', vlanAware: false, mtu: 0 };
  if (facts === 'no bridge') return { name, state: facts, vlanAware: false, mtu: 0 };
  const isUp = (Number(readAttribute(name, 'flags') ?? 0) & 1) === 1;
  return { name, state: isUp ? 'up' : 'down', vlanAware: facts.vlanFiltering, mtu: facts.mtu };
}

async function readFilteredBridging(signal: AbortSignal | undefined): Promise<('ipv4' | 'ipv6')[]> {
  const passing = (['ipv4', 'ipv6'] as const).filter(
    (family) =>
      readText(`/proc/sys/net/bridge/bridge-nf-call-${family === 'ipv4' ? 'iptables' : 'ip6tables'}`).trim() === '1',
  );
  if (passing.length === 0) return [];
  const dropped = new Set([
    ...droppedByNft(await output('nft', ['-j', 'list', 'chains'], signal)),
    ...(await droppedByLegacy(signal)),
  ]);
  return passing.filter((family) => dropped.has(family));
}

function droppedByNft(text: string): ('ipv4' | 'ipv6')[] {
  return objects(text, 'nftables').flatMap(({ chain }) => {
    if (!isObject(chain) || chain['hook'] !== 'forward' || chain['policy'] !== 'drop') return [];
    const family = chain['family'];
    return family === 'ip' ? ['ipv4'] : family === 'ip6' ? ['ipv6'] : family === 'inet' ? ['ipv4', 'ipv6'] : [];
  });
}

/** Tables of the old iptables are not in what `nft` lists. */
async function droppedByLegacy(signal: AbortSignal | undefined): Promise<('ipv4' | 'ipv6')[]> {
  const tables = [
    ['ipv4', 'iptables-legacy', '/proc/net/ip_tables_names'],
    ['ipv6', 'ip6tables-legacy', '/proc/net/ip6_tables_names'],
  ] as const;
  const dropping = await Promise.all(
    tables.map(async ([family, program, names]) => {
      if (!readText(names).includes('filter')) return [];
      return (await output(program, ['-S', 'FORWARD'], signal)).startsWith('-P FORWARD DROP') ? [family] : [];
    }),
  );
  return dropping.flat();
}

async function readLearned(signal: AbortSignal | undefined): Promise<NetworkFacts['learned']> {
  const entries = objects(await output('bridge', ['-json', 'fdb', 'show'], signal));
  return entries.flatMap(({ mac, ifname, master, state }) => {
    const address = typeof mac === 'string' ? normalizeMac(mac) : undefined;
    if (address === undefined || typeof ifname !== 'string' || typeof master !== 'string' || state === 'permanent')
      return [];
    return [{ mac: address, port: ifname, bridge: master }];
  });
}

/** What a program prints; nothing when it fails or is missing. */
async function output(program: string, args: readonly string[], signal: AbortSignal | undefined): Promise<string> {
  if (findProgram(program, searchPath(process.env)) === undefined) return '';
  const env = { PATH: searchPath(process.env) };
  const { exitCode, stdout } = await run(program, args, { env, signal });
  return exitCode === 0 ? stdout : '';
}

/** The objects of a JSON list, or of the list that is below `key`. */
function objects(text: string, key?: string): Readonly<Record<string, unknown>>[] {
  const document: unknown = JSON.parse(text || '[]');
  const list = key !== undefined && isObject(document) ? document[key] : document;
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
