import { QemuError } from '../../base/errors.ts';
import type { GuestInterface } from '../../qmp/agent/agent-answers.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { ipFamily } from '../../system/ports.ts';
import { openAgent } from '../control/open-agent.ts';

/** An address of a guest as its agent reports it. */
export interface GuestAddressRow {
  /** The guest's name for the interface, such as `eth0`. */
  readonly interface: string;
  readonly address: string;
  readonly family: 'ipv4' | 'ipv6';
  /** Bits of the network. */
  readonly prefix: number;
}

/** A guest may claim any number of them. */
const MOST_ADDRESSES = 64;
const MOST_NAME = 64;
/** The answer of a guest with some hundred interfaces is shorter. */
const MOST_LINE_BYTES = 256 * 1024;

/**
 * The addresses of a guest, without those of its loopback. None when its agent does not answer in time: never fails.
 */
export async function guestAddresses(
  files: Pick<MachinePaths, 'agentSocket'>,
  timeoutMs: number,
): Promise<GuestAddressRow[]> {
  const options = { timeoutMs, maxLineBytes: MOST_LINE_BYTES, signal: AbortSignal.timeout(timeoutMs) };
  try {
    // Without a turn: this is over before another session notices.
    using agent = await openAgent(files, options);
    return addressRows(await agent.networkInterfaces(options));
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    return [];
  }
}

/** The addresses that others can reach, IPv4 first. What is not an address is left out. Pure. */
export function addressRows(interfaces: readonly GuestInterface[]): GuestAddressRow[] {
  const rows = interfaces.flatMap(({ name, addresses }) =>
    addresses
      .filter(({ address, family }) => ipFamily(address) === family && !isLoopback(address))
      .map(({ address, family, prefix }) => ({ interface: name.slice(0, MOST_NAME), address, family, prefix })),
  );
  return rows.sort((a, b) => rank(a) - rank(b)).slice(0, MOST_ADDRESSES);
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

/** Addresses that only the same link has (RFC 4291, 2.5.6) are of the least use. */
function rank({ family, address }: GuestAddressRow): number {
  if (family === 'ipv4') return 0;
  return /^fe[89ab]/i.test(address) ? 2 : 1;
}
