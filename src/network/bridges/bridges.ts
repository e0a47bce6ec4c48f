import { createHash } from 'node:crypto';
import { readTextIfExists } from '../../system/files/files.ts';
import { run } from '../../system/process/exec.ts';
import { commandFailed, searchPath } from '../commands.ts';
import { bridgePorts, interfaceNames, readAttribute, readBridge } from '../sysfs.ts';
import { parseOwnerAlias } from '../taps/owner-alias.ts';
import { readTapRecord } from '../taps/tap-records.ts';
import { type BridgePlan, type BridgeSpec, parseBridgeAlias, planBridgeAdd, planBridgeDelete } from './bridge-plan.ts';
import { readAddresses, readInterface } from './host-state.ts';

/**
 * Makes a bridge as wished, or adds what an existing one lacks. All in one call of `ip`, so that a connection over the
 * uplink survives; when it fails everything is as before.
 *
 * @returns whether anything changed.
 * @throws {QemuError} `QEMU_COMMAND_FAILED`, `QEMU_NOT_PERMITTED`, `QEMU_NOT_INSTALLED`.
 */
export async function addBridge(wish: BridgeSpec, signal?: AbortSignal): Promise<boolean> {
  const bridge = await readInterface(wish.name, signal);
  const uplink = wish.uplink === undefined ? undefined : await readInterface(wish.uplink, signal);
  const plan = planBridgeAdd(wish, bridge, uplink, ownMac(wish.name));
  await execute(plan, `Cannot make bridge "${wish.name}"`);
  return plan.lines.length > 0;
}

/**
 * Removes a bridge that {@link addBridge} has made.
 *
 * @returns false when there was none.
 * @throws {QemuError} `QEMU_COMMAND_FAILED` also when qemu-netif did not make it or it is in use, `QEMU_NOT_PERMITTED`,
 * `QEMU_NOT_INSTALLED`.
 */
export async function deleteBridge(name: string, signal?: AbortSignal): Promise<boolean> {
  const bridge = await readInterface(name, signal);
  if (bridge === undefined) return false;
  await execute(planBridgeDelete(bridge), `Cannot remove bridge "${name}"`);
  return true;
}

/** A bridge of the host as `qemu-netif bridge show` reports it. */
export interface BridgeInfo {
  readonly name: string;
  readonly up: boolean;
  readonly mac: string;
  /** Bytes. */
  readonly mtu: number;
  readonly vlanAware: boolean;
  /** Whether qemu-netif made it. */
  readonly own: boolean;
  /** With prefix length. */
  readonly addresses: readonly string[];
  readonly ports: readonly BridgePort[];
}

export interface BridgePort {
  readonly name: string;
  /** Long name of the machine whose tap it is. */
  readonly machine: string | undefined;
  readonly vlan: number | undefined;
  readonly isolated: boolean;
}

/** All bridges of the host, or those with these names that exist. */
export async function listBridges(
  tapsDir: string,
  names?: readonly string[],
  signal?: AbortSignal,
): Promise<BridgeInfo[]> {
  const addresses = await readAddresses(signal);
  return interfaceNames()
    .filter((name) => names === undefined || names.includes(name))
    .sort()
    .flatMap((name) => {
      const bridge = readBridge(name);
      if (bridge === undefined || bridge === 'no bridge') return [];
      const { mtu, vlanFiltering } = bridge;
      return [
        {
          name,
          up: (Number(readAttribute(name, 'flags') ?? 0) & 1) === 1,
          mac: readAttribute(name, 'address') ?? '',
          mtu,
          vlanAware: vlanFiltering,
          own: parseBridgeAlias(readAttribute(name, 'ifalias') ?? '') !== undefined,
          addresses: addresses.get(name) ?? [],
          ports: bridgePorts(name).map((port) => describePort(port, tapsDir)),
        },
      ];
    });
}

function describePort(name: string, tapsDir: string): BridgePort {
  const note = readTapRecord(name, tapsDir);
  return {
    name,
    machine: note?.machine ?? parseOwnerAlias(readAttribute(name, 'ifalias'))?.machine,
    vlan: note?.vlan,
    isolated: readAttribute(name, 'brport/isolated') === '1',
  };
}

async function execute({ lines, undo }: BridgePlan, failure: string): Promise<void> {
  if (lines.length === 0) return;
  // Stopping it halfway could cut the host off from its network, so it cannot be aborted.
  const { exitCode, stderr } = await ipBatch(['-batch', '-'], lines);
  if (exitCode === 0) return;
  await ipBatch(['-force', '-batch', '-'], undo);
  throw commandFailed(failure, stderr);
}

async function ipBatch(args: readonly string[], lines: readonly string[]): ReturnType<typeof run> {
  const env = { PATH: searchPath(process.env) };
  return await run('ip', args, { env, input: `${lines.join('\n')}\n`, timeoutMs: 60_000 });
}

/** An address for a bridge: the same at each boot, different on each host (machine-id(5)). */
function ownMac(name: string): string {
  const host = readTextIfExists('/etc/machine-id') ?? '';
  const bytes = createHash('sha256').update(`${host.trim()}\0${name}`).digest();
  // Locally administered and unicast (IEEE 802 §8.2).
  bytes.writeUInt8((bytes.readUInt8(0) & 0xfc) | 0x02, 0);
  return (bytes.toString('hex', 0, 6).match(/../g) ?? []).join(':');
}
