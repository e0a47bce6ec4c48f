import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';
import { type Cleanup } from '../support/temp-root.ts';
import { type Guest, type Host, linuxHost } from './machines.ts';
import { enterOwnNamespace } from './own-namespace.ts';
import { clearNetwork, linkNames, makeBridge, sh } from './shell.ts';

await enterOwnNamespace();
beforeEach(clearNetwork);

test('two Linux guests on one bridge reach each other and the host', async (t) => {
  const host = linuxHost(t);
  makeBridge('br0');
  sh('ip', 'address', 'add', '192.0.2.1/24', 'dev', 'br0');
  sh('ip', 'address', 'add', '2001:db8::1/64', 'nodad', 'dev', 'br0');
  serveDhcp(t, host, 'br0', '192.0.2.10', '192.0.2.20');
  host.register('web', ['NIC1=virtio-net-pci']);
  host.register('db', ['NIC1=virtio-net-pci']);
  const [web, db] = await host.start('web', 'db');
  assert.ok(web && db);
  console.error(await web.sh('ip address show eth0; cat /sys/class/net/eth0/address'));
  console.error(await db.sh('ip address show eth0'));
});

/** Hands out addresses on a bridge, as a router in the network would. */
function serveDhcp(t: Cleanup, host: Host, bridge: string, first: string, last: string): void {
  const leases = host.write('udhcpd.leases', '');
  const config = host.write(
    'udhcpd.conf',
    [`start ${first}`, `end ${last}`, `interface ${bridge}`, `lease_file ${leases}`, `pidfile ${join(host.dir, 'udhcpd.pid')}`, ''].join('\n'),
  );
  const server = spawn('busybox', ['udhcpd', '-f', config], { stdio: 'ignore' });
  t.after(() => {
    server.kill('SIGKILL');
  });
}
