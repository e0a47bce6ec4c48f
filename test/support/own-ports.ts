import { createServer } from 'node:net';
import type { Cleanup } from './temp-root.ts';

/** The ports of a scratch root lie below those that the kernel gives to clients (net.ipv4.ip_local_port_range), with a hundred slots each. */
const FIRST = 20_000;
const WIDTH = 200;
const COUNT = 50;

/**
 * The first port of a range that no other test of this host has, in whichever process and checkout it runs. What says so is an
 * abstract socket (unix(7)): it belongs to a network namespace as ports do, and goes with its process.
 */
export function claimPorts(t: Cleanup): number {
  for (let range = 0; range < COUNT; range += 1) {
    const claim = createServer();
    claim.on('error', () => undefined);
    // This is done when the call returns; only the news of it comes later.
    claim.listen(`\0qemu-init-test-ports-${range}`);
    if (!claim.listening) continue;
    claim.unref();
    t.after(() => void claim.close());
    return FIRST + WIDTH * range;
  }
  throw new Error('Other tests have all ranges of ports');
}
