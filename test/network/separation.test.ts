import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { beforeEach, test } from 'node:test';
import { runCli } from '../support/cli.ts';
import { addressByDhcp, serveDhcp } from './dhcp.ts';
import { type Guest, linuxHost } from './machines.ts';
import { enterOwnNamespace } from './own-namespace.ts';
import { clearNetwork, makeBridge, sh } from './shell.ts';

await enterOwnNamespace();
beforeEach(clearNetwork);

/** A way that a guest may try: to an address, over a device or from an address of its own. */
type Way = readonly [to: string, from: string];

/** Those of the ways on which the guest gets an answer to one of two questions; for what it must not reach. */
async function answeredWays(guest: Guest, ...ways: readonly Way[]): Promise<string[]> {
  const pings = ways.map(([to, from]) => `(ping -c 2 -W 1 -I ${from} ${to} >/dev/null && echo "${to} from ${from}") &`);
  return (await guest.sh(`${pings.join(' ')} wait`)).split('\n').filter((line) => line !== '');
}

/** Asks until there is an answer: a new address, or a bridge that is new to the guest, takes its time. */
async function assertReaches(guest: Guest, address: string, source = 'eth0'): Promise<void> {
  await guest.sh(`for i in $(seq 30); do ping -c 1 -W 1 -I ${source} ${address} && break; done`);
}

function hostAddress(bridge: string, ...addresses: readonly string[]): void {
  for (const address of addresses)
    sh('ip', 'address', 'add', address, 'dev', bridge, ...(address.includes(':') ? ['nodad'] : []));
}

for (const netif of ['hook', 'managed'] as const) {
  test(`NETIF=${netif}: a guest with two processors uses both queues of its NIC`, async (t) => {
    const host = linuxHost(t);
    makeBridge('br0');
    hostAddress('br0', '192.0.2.1/24');
    host.register('web', [`NETIF=${netif}`, 'SMP=2', 'NIC1=virtio-net-pci,queues=2']);
    const [web] = await host.start('web');
    assert.ok(web);
    assert.deepEqual((await web.sh('ls /sys/class/net/eth0/queues')).split(/\s+/).filter(Boolean).sort(), [
      'rx-0',
      'rx-1',
      'tx-0',
      'tx-1',
    ]);
    await web.sh('ip address flush dev eth0; ip address add 192.0.2.2/24 dev eth0');
    await assertReaches(web, '192.0.2.1');
    assert.equal((await host.init('kill', 'web')).code, 0);
  });
}

test('a guest with two NICs on two bridges reaches each network by the right one', async (t) => {
  const host = linuxHost(t);
  makeBridge('br0');
  makeBridge('br1');
  hostAddress('br0', '192.0.2.1/24');
  hostAddress('br1', '198.51.100.1/24');
  // Linux answers for all its addresses on every interface otherwise (ip-sysctl, arp_ignore).
  writeFileSync('/proc/sys/net/ipv4/conf/all/arp_ignore', '1');
  host.register('web', ['NIC1=virtio-net-pci,bridge=br1', 'NIC2=virtio-net-pci']);
  const [web] = await host.start('web');
  assert.ok(web);
  await web.sh(
    'ip address flush dev eth0; ip address add 198.51.100.2/24 dev eth0; ip address add 192.0.2.2/24 dev eth1; ip link set eth1 up',
  );
  await assertReaches(web, '198.51.100.1', 'eth0');
  await assertReaches(web, '192.0.2.1', 'eth1');
  assert.deepEqual(await answeredWays(web, ['192.0.2.1', 'eth0'], ['198.51.100.1', 'eth1']), []);

  const cable = (state: string) => runCli('qemu-cmd', ['-c', `set_link net0 ${state}`, 'web'], { root: host.dir });
  assert.equal((await cable('off')).code, 0);
  assert.equal((await web.sh('cat /sys/class/net/eth0/carrier')).trim(), '0');
  assert.deepEqual(await answeredWays(web, ['198.51.100.1', 'eth0']), []);
  assert.equal((await cable('on')).code, 0);
  await assertReaches(web, '198.51.100.1', 'eth0');
});

test('isolated ports do not see each other but reach the host and the others', async (t) => {
  const host = linuxHost(t);
  makeBridge('br0');
  hostAddress('br0', '192.0.2.1/24');
  host.register('web', ['NETIF=managed', 'NIC1=virtio-net-pci,isolated=on']);
  host.register('db', ['NETIF=hook', 'NIC1=virtio-net-pci,isolated=on']);
  host.register('adm', ['NIC1=virtio-net-pci']);
  const [web, db, adm] = await host.start('web', 'db', 'adm');
  assert.ok(web && db && adm);
  for (const [guest, last] of [
    [web, 2],
    [db, 3],
    [adm, 4],
  ] as const)
    await guest.sh(`ip address add 192.0.2.${last}/24 dev eth0`);
  await assertReaches(web, '192.0.2.1');
  await assertReaches(db, '192.0.2.1');
  await assertReaches(web, '192.0.2.4');
  await assertReaches(adm, '192.0.2.3');
  assert.deepEqual(await answeredWays(web, ['192.0.2.3', 'eth0']), []);
  assert.deepEqual(await answeredWays(db, ['192.0.2.2', 'eth0']), []);
});

test('NETIF=managed: with lock=on a guest that changes its MAC or address is cut off', async (t) => {
  const host = linuxHost(t);
  makeBridge('br0');
  hostAddress('br0', '192.0.2.1/24', '2001:db8::1/64');
  host.register('web', ['NETIF=managed', 'NIC1=virtio-net-pci,lock=on,ip=192.0.2.2,ip=2001:db8::2']);
  const [web] = await host.start('web');
  assert.ok(web);
  // New addresses are usable at once, without a second in which the guest asks whether they are free.
  await web.sh('echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad');
  await web.sh('ip address add 192.0.2.2/24 dev eth0; ip address add 2001:db8::2/64 dev eth0');
  await assertReaches(web, '192.0.2.1');
  await assertReaches(web, '2001:db8::1');

  await web.sh('ip address add 192.0.2.3/24 dev eth0; ip address add 2001:db8::3/64 dev eth0');
  assert.deepEqual(await answeredWays(web, ['192.0.2.1', '192.0.2.3'], ['2001:db8::1', '2001:db8::3']), []);
  assert.equal(await web.succeeds('arping -c 1 -w 2 -I eth0 -s 192.0.2.3 192.0.2.1'), false);
  // The host asks for the address that is not the guest's: the answer must not get out.
  sh('ip', 'neighbour', 'flush', 'all');
  assert.deepEqual(['2001:db8::2', '2001:db8::3', '192.0.2.2', '192.0.2.3'].map(hostReaches), [
    true,
    false,
    true,
    false,
  ]);

  const mac = (await web.sh('cat /sys/class/net/eth0/address')).trim();
  await web.sh('ip link set eth0 down; ip link set eth0 address 52:54:00:00:00:99; ip link set eth0 up');
  await web.sh('ip address add 2001:db8::2/64 dev eth0');
  assert.deepEqual(await answeredWays(web, ['192.0.2.1', '192.0.2.2'], ['2001:db8::1', '2001:db8::2']), []);
  await web.sh(`ip link set eth0 down; ip link set eth0 address ${mac}; ip link set eth0 up`);
  await assertReaches(web, '192.0.2.1');
});

test('NETIF=hook: with lock=on a guest gets its address by DHCP and cannot take another', async (t) => {
  const host = linuxHost(t);
  makeBridge('br0');
  hostAddress('br0', '192.0.2.1/24');
  serveDhcp(t, host, 'br0', '192.0.2.2', '192.0.2.2');
  host.register('web', ['NIC1=virtio-net-pci,lock=on,ip=192.0.2.2']);
  const [web] = await host.start('web');
  assert.ok(web);
  assert.equal(await addressByDhcp(web), '192.0.2.2');
  await assertReaches(web, '192.0.2.1');
  await web.sh('ip address add 192.0.2.3/24 dev eth0');
  assert.deepEqual(await answeredWays(web, ['192.0.2.1', '192.0.2.3']), []);
});

function hostReaches(address: string): boolean {
  try {
    sh('busybox', 'ping', '-c', '2', '-W', '1', address);
    return true;
  } catch {
    return false;
  }
}
