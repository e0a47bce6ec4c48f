import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { planJoin } from '../../src/network/plan.ts';
import type { TapWish } from '../../src/network/wishes.ts';
import type { Cleanup } from '../support/temp-root.ts';
import { type Guest, linuxHost } from './machines.ts';
import { enterOwnNamespace } from './own-namespace.ts';
import { sh } from './shell.ts';

await enterOwnNamespace();

/**
 * The host of this test is itself a guest, whose kernel has VLAN filtering whatever the kernel of the tests is like. Its
 * own guests are network namespaces; the far ends of their cables stand for the taps.
 */
test('VLAN 10 and VLAN 20 do not see each other, and a trunk sees both', async (t) => {
  const machines = linuxHost(t, ['bridge', '8021q', 'veth']);
  machines.register('host', ['NIC1=virtio-net-pci,net=user']);
  const [host] = await machines.start('host');
  assert.ok(host);
  await bringPrograms(t, host, ['ip', 'bridge']);
  await host.sh('ip link add br0 type bridge vlan_filtering 1; ip link set br0 up');
  const attribute = async (name: string) => (await host.sh(`cat /sys/class/net/br0/bridge/${name}`)).trim();
  assert.deepEqual([await attribute('vlan_filtering'), await attribute('default_pvid')], ['1', '1']);

  const guests = [
    { name: 'a', vlan: 10 },
    { name: 'b', vlan: 10 },
    { name: 'c', vlan: 20 },
    { name: 'd', vlan: 20 },
    { name: 'e', vlan: undefined },
  ];
  for (const [position, { name, vlan }] of guests.entries()) {
    await cable(host, name);
    await host.sh(`ip netns exec ${name} ip address add 192.0.2.${position + 1}/24 dev eth0`);
    await join(host, { ...PLAIN, tap: `${name}.1`, machine: name, vlan });
  }
  await cable(host, 'trunk');
  await host.sh(
    'ip link set trunk.1 master br0 up; bridge vlan add dev trunk.1 vid 10; bridge vlan add dev trunk.1 vid 20',
  );
  for (const vlan of [10, 20]) {
    const onTrunk = `ip -n trunk link add link eth0 name eth0.${vlan} type vlan id ${vlan}`;
    await host.sh(`ip netns add up${vlan}; ${onTrunk}; ip -n trunk link set eth0.${vlan} netns up${vlan}`);
    await host.sh(
      `ip -n up${vlan} link set eth0.${vlan} up; ip -n up${vlan} address add 192.0.2.${100 + vlan}/24 dev eth0.${vlan}`,
    );
  }

  assert.deepEqual(await reachable(host, 'a'), ['192.0.2.2', '192.0.2.110']);
  assert.deepEqual(await reachable(host, 'c'), ['192.0.2.4', '192.0.2.120']);
  assert.deepEqual(await reachable(host, 'e'), []);
});

const PLAIN = { index: 1, bridge: 'br0', mac: '', queues: 1, isolated: false, lock: false, addresses: [] };

const ADDRESSES = [1, 2, 3, 4, 5, 110, 120].map((last) => `192.0.2.${last}`);

/** The addresses but its own that a namespace reaches, asked all at the same time. */
async function reachable(host: Guest, namespace: string): Promise<string[]> {
  const own = (await host.sh(`ip -n ${namespace} -4 -o address show dev eth0`)).match(/192\.0\.2\.\d+/)?.[0];
  const others = ADDRESSES.filter((address) => address !== own);
  const pings = others.map(
    (address) => `(ip netns exec ${namespace} busybox ping -c 2 -W 1 ${address} >/dev/null && echo ${address}) &`,
  );
  const answered = (await host.sh(`${pings.join(' ')} wait`)).split('\n');
  return others.filter((address) => answered.includes(address));
}

/** A namespace with an `eth0`, whose other end is NAME.1. */
async function cable(host: Guest, name: string): Promise<void> {
  await host.sh(
    `ip netns add ${name}; ip link add ${name}.1 type veth peer name eth0 netns ${name}; ip -n ${name} link set eth0 up`,
  );
}

async function join(host: Guest, wish: TapWish): Promise<void> {
  const bridge = { name: 'br0', mtu: 1500, vlanFiltering: true, defaultPvid: 1 };
  const plan = planJoin(wish, { bridges: new Map([['br0', bridge]]), ipv6: true });
  const text = (lines: typeof plan.ip) => lines.map(({ line }) => `${line}\n`).join('');
  await host.sh(`ip -batch - <<'END'\n${text(plan.ip)}END\n`);
  await host.sh(`bridge -batch - <<'END'\n${text(plan.bridge)}END\n`);
}

/** Gives a guest programs of this host, with their libraries. */
async function bringPrograms(t: Cleanup, guest: Guest, programs: readonly string[]): Promise<void> {
  const paths = programs.map((program) => sh('sh', '-c', `command -v ${program}`).trim());
  const libraries = paths.flatMap((path) =>
    [...sh('ldd', path).matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? ''),
  );
  const archive = execFileSync('tar', ['-chf', '-', ...new Set([...paths, ...libraries])], {
    maxBuffer: 64 << 20,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const server = createServer((_, response) => response.end(archive)).listen(0, '127.0.0.1');
  t.after(() => {
    server.close();
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  // QEMU's own network shows the guest this host's loopback interface as 10.0.2.2.
  await guest.sh('for i in $(seq 300); do ip -o -4 address show eth0 | grep -q inet && break; sleep 0.1; done');
  await guest.sh(`wget -q -O - http://10.0.2.2:${port}/ | tar -x -C /`);
  // A plain name would be busybox's own program of that name.
  for (const path of paths) await guest.sh(`${path.slice(path.lastIndexOf('/') + 1)}() { ${path} "$@"; }`);
}
