import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { beforeEach, test } from 'node:test';
import type { Cleanup } from '../support/temp-root.ts';
import { addressByDhcp, serveDhcp } from './dhcp.ts';
import { type Guest, type Host, linuxHost } from './machines.ts';
import { enterOwnNamespace } from './own-namespace.ts';
import { clearNetwork, makeBridge, sh } from './shell.ts';

await enterOwnNamespace();
beforeEach(clearNetwork);

test('NETIF=hook: two Linux guests on one bridge reach each other and the host', async (t) => {
  const host = linuxHost(t);
  await twoGuests(t, host, []);
});

test('NETIF=managed with RUNAS and SANDBOX: the same, and QEMU is never root', async (t) => {
  const host = linuxHost(t);
  await twoGuests(t, host, ['NETIF=managed', 'RUNAS=nobody', 'SANDBOX=on']);
  for (const pid of host.qemus()) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    assert.match(status, /^Uid:\t65534\t65534\t65534\t65534$/m);
    assert.match(status, /^CapEff:\t0+$/m);
    assert.match(status, /^Seccomp:\t2$/m);
  }
});

async function twoGuests(t: Cleanup, host: Host, lines: readonly string[]): Promise<void> {
  makeBridge('br0');
  sh('ip', 'address', 'add', '192.0.2.1/24', 'dev', 'br0');
  sh('ip', 'address', 'add', '2001:db8::1/64', 'nodad', 'dev', 'br0');
  serveDhcp(t, host, 'br0', '192.0.2.10', '192.0.2.20');
  for (const name of ['web', 'db']) host.register(name, ['NIC1=virtio-net-pci', ...lines]);
  const [web, db] = await host.start('web', 'db');
  assert.ok(web && db);

  for (const guest of [web, db]) {
    assert.equal(
      (await guest.sh('cat /sys/class/net/eth0/address')).trim().toUpperCase(),
      await listedMac(host, guest.name),
    );
  }
  const [webAddress, dbAddress] = await Promise.all([web, db].map(addressByDhcp));
  await web.sh('ip address add 2001:db8::a/64 dev eth0');
  await db.sh('ip address add 2001:db8::b/64 dev eth0');
  for (const address of ['192.0.2.1', dbAddress, '2001:db8::1', '2001:db8::b'])
    await web.sh(`ping -c 1 -w 30 ${address}`);
  sh('busybox', 'ping', '-c', '1', '-w', '30', webAddress ?? '');
  await moveData(web, db, webAddress ?? '');
}

async function listedMac(host: Host, name: string): Promise<string | undefined> {
  const machines: { name: string; nics: { mac: string }[] }[] = JSON.parse(
    (await host.init('list', '--macs', '--json')).stdout,
  );
  return machines.find((machine) => machine.name === name)?.nics[0]?.mac;
}

/** Lets one guest fetch 100 MB from the other, and compares what arrived with what was sent. */
async function moveData(from: Guest, to: Guest, address: string): Promise<void> {
  await from.sh(
    'mkdir /www; mount -t tmpfs -o size=110m www /www; head -c 1048576 /dev/urandom >/tmp/block; for i in $(seq 100); do cat /tmp/block; done >/www/data',
  );
  await from.sh('httpd -h /www');
  const [sent, arrived] = await Promise.all([
    from.sh('md5sum </www/data'),
    to.sh(`wget -q -O - http://${address}/data | md5sum`),
  ]);
  assert.equal(arrived, sent);
}
