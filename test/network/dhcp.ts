import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Cleanup } from '../support/temp-root.ts';
import type { Guest, Host } from './machines.ts';

/** Hands out addresses on a bridge, as a router in the network would. */
export function serveDhcp(t: Cleanup, host: Host, bridge: string, first: string, last: string): void {
  const leases = host.write('udhcpd.leases', '');
  const pidFile = join(host.dir, 'udhcpd.pid');
  const config = [
    `start ${first}`,
    `end ${last}`,
    `interface ${bridge}`,
    `lease_file ${leases}`,
    `pidfile ${pidFile}`,
    'option subnet 255.255.255.0',
  ];
  const server = spawn('busybox', ['udhcpd', '-f', host.write('udhcpd.conf', `${config.join('\n')}\n`)], {
    stdio: 'ignore',
  });
  t.after(() => {
    server.kill('SIGKILL');
  });
}

/** The address that the guest has got for its first NIC; waits for it. */
export async function addressByDhcp(guest: Guest): Promise<string> {
  const address = 'ip -o -4 address show eth0 | sed -n "s/.*inet \\([0-9.]*\\).*/\\1/p"';
  return (
    await guest.sh(`for i in $(seq 300); do [ -n "$(${address})" ] && break; sleep 0.1; done; ${address}`)
  ).trim();
}
