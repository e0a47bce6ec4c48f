import { QemuError } from '../base/errors.ts';
import type { MachineConfig } from '../config/types.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { isPortFree } from '../system/ports.ts';

const FIRST = 2222;
const LAST = 2999;

/** A port of 127.0.0.1 that no machine of the fleet forwards, and that nothing listens on now. */
export async function freeSshPort(fleet: Fleet): Promise<number> {
  const configs = fleet.machines.configs(fleet.list());
  const taken = new Set([...configs.values()].flatMap((config) => forwards(config).map(({ hostPort }) => hostPort)));
  for (let port = FIRST; port <= LAST; port++) {
    if (!taken.has(port) && (await isPortFree(port))) return port;
  }
  throw new QemuError('QEMU_USAGE', `All ports from ${FIRST} to ${LAST} are in use`, {
    hint: 'choose one: --ssh-port',
  });
}

/** Where this host reaches the SSH server of a machine's guest; undefined if no port is forwarded to it. */
export function sshAddress(config: MachineConfig): { readonly host: string; readonly port: number } | undefined {
  const found = forwards(config).find(({ protocol, guestPort }) => protocol === 'tcp' && guestPort === 22);
  if (found === undefined) return undefined;
  const isAny = found.hostAddress === '' || found.hostAddress === '0.0.0.0' || found.hostAddress === '::';
  return { host: isAny ? '127.0.0.1' : found.hostAddress, port: found.hostPort };
}

function forwards({ nics }: MachineConfig): MachineConfig['nics'][number]['hostForwards'] {
  return nics.flatMap(({ hostForwards }) => hostForwards);
}
