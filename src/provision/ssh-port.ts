import { QemuError } from '../base/errors.ts';
import type { MachineConfig } from '../config/types.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { isPortFree } from '../system/ports.ts';

/** From here on ports for SSH are chosen. */
export const FIRST_SSH_PORT = 2222;
/** So many are tried. */
const MOST = 1000;

/**
 * A port of 127.0.0.1 that no machine of the fleet forwards, and that nothing listens on now.
 *
 * @param first the lowest.
 * @throws {QemuError} `QEMU_USAGE` when all of a thousand are in use.
 */
export async function freeForwardPort(fleet: Fleet, first: number, skip: readonly number[] = []): Promise<number> {
  const configs = fleet.machines.configs(fleet.list());
  const taken = new Set([...configs.values()].flatMap((config) => forwards(config).map(({ hostPort }) => hostPort)));
  const last = Math.min(first + MOST, LAST_PORT);
  for (let port = first; port <= last; port++) {
    if (!taken.has(port) && !skip.includes(port) && (await isPortFree(port))) return port;
  }
  throw new QemuError('QEMU_USAGE', `All ports from ${first} to ${last} are in use`, {
    hint: 'choose one: --ssh-port',
  });
}

const LAST_PORT = 65_535;

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
