import { QemuError } from '../../base/errors.ts';
import { INTERFACE_NAME_RULE, isInterfaceName } from '../../config/text/values.ts';
import {
  addBridge,
  type BridgeInfo,
  type BridgePort,
  deleteBridge,
  listBridges,
} from '../../network/bridges/bridges.ts';
import type { Context } from '../run/context.ts';

interface AddArguments {
  readonly name: string;
  readonly uplink?: string;
  readonly address?: string;
  readonly mtu?: string;
  readonly vlanAware: boolean;
}

export async function add({ output, signal }: Context, args: AddArguments): Promise<number> {
  const { name, uplink, vlanAware } = args;
  checkName(name);
  if (uplink !== undefined) checkName(uplink);
  const wish = { name, uplink, addresses: parseAddresses(args.address), mtu: parseMtu(args.mtu), vlanAware };
  const isNew = await addBridge(wish, signal);
  if (output.json) output.document([{ name, changed: isNew }]);
  else output.note('info', isNew ? `bridge "${name}" is ready` : `bridge "${name}" was ready before`);
  return 0;
}

export async function del({ output, signal }: Context, { name }: { readonly name: string }): Promise<number> {
  checkName(name);
  const existed = await deleteBridge(name, signal);
  if (output.json) output.document([{ name, changed: existed }]);
  else output.note('info', existed ? `bridge "${name}" is removed` : `there was no bridge "${name}"`);
  return 0;
}

export async function show(
  { output, paths, signal }: Context,
  args: { readonly names?: readonly string[] },
): Promise<number> {
  const names = args.names ?? [];
  const bridges = await listBridges(paths.tapsDir, names.length > 0 ? names : undefined, signal);
  if (output.json) output.document(bridges);
  else if (bridges.length > 0) output.table([HEADINGS, ...bridges.map(row)]);
  const missing = names.filter((name) => !bridges.some((bridge) => bridge.name === name));
  for (const name of missing) output.note('error', `qemu-netif: There is no bridge "${name}"`);
  return missing.length > 0 ? 1 : 0;
}

const HEADINGS = ['BRIDGE', 'STATE', 'MTU', 'MAC', 'ADDRESSES', 'PORTS'];

function row({ name, up, mtu, mac, addresses, ports }: BridgeInfo): string[] {
  return [name, up ? 'up' : 'down', String(mtu), mac, addresses.join(' ') || '-', ports.map(portText).join(' ') || '-'];
}

function portText({ name, machine, vlan, isolated }: BridgePort): string {
  const remarks = [machine, vlan === undefined ? undefined : `vlan ${vlan}`, isolated ? 'isolated' : undefined].filter(
    (remark) => remark !== undefined,
  );
  return remarks.length === 0 ? name : `${name}(${remarks.join(',')})`;
}

function checkName(name: string): void {
  if (!isInterfaceName(name))
    throw new QemuError('QEMU_USAGE', `Cannot use "${name}" as the name of an interface`, {
      hint: INTERFACE_NAME_RULE,
    });
}

function parseAddresses(text: string | undefined): string[] {
  const addresses = text?.split(',') ?? [];
  const wrong = addresses.find((address) => !/^[0-9a-f.:]+\/\d{1,3}$/i.test(address));
  if (wrong === undefined) return addresses;
  throw new QemuError('QEMU_USAGE', `Cannot use "${wrong}" as an address`, { hint: 'write it like 192.168.7.1/24' });
}

/** Smallest MTU of IPv4 (RFC 791), largest length of a packet. */
function parseMtu(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const mtu = Number(text);
  if (/^\d+$/.test(text) && mtu >= 68 && mtu <= 65535) return mtu;
  throw new QemuError('QEMU_USAGE', `Cannot use "${text}" as MTU`, {
    hint: 'it must be a number of bytes from 68 to 65535',
  });
}
