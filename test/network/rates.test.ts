import assert from 'node:assert/strict';
import { once } from 'node:events';
import { truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeEach, type TestContext, test } from 'node:test';
import { parseJson } from '../support/cli.ts';
import { until } from '../support/lab.ts';
import { type Guest, linuxHost } from './machines.ts';
import { enterOwnNamespace } from './own-namespace.ts';
import { clearNetwork, makeBridge, sh } from './shell.ts';

await enterOwnNamespace();
beforeEach(clearNetwork);

const KIB = 1024;
const MIB = 1024 ** 2;

/** What was carried, and how long it took. */
interface Carried {
  readonly bytes: number;
  readonly seconds: number;
}

const FIXED = ['NETIF=managed', 'RUNAS=nobody', 'SANDBOX=on'];

test('what a guest sends and receives, and what it reads from a disk, keeps to its rate, at its start and after a reload', async (t) => {
  const host = linuxHost(t);
  makeBridge('br0');
  sh('ip', 'address', 'add', '192.0.2.1/24', 'dev', 'br0');
  const image = join(host.etcDir, 'data.img');
  writeFileSync(image, '');
  truncateSync(image, 256 * MIB);
  const lines = (net: string, disk: string): string[] => [
    ...FIXED,
    `NIC1=virtio${net === '' ? '' : `,rate=${net}`}`,
    `DSK1=${image},snapshot=on${disk === '' ? '' : `,rate=${disk}`}`,
  ];
  host.register('web', lines('2M', '4M'));
  const [guest] = await host.start('web');
  assert.ok(guest);
  await guest.sh('ip link set eth0 up; ip address add 192.0.2.5/24 dev eth0; ping -c 1 -w 30 192.0.2.1');
  for (const [net, disk, netBytes, diskBytes] of [
    ['2M', '4M', 2 * MIB, 4 * MIB],
    ['4M', '8M', 4 * MIB, 8 * MIB],
    ['500K', '1M', 500 * KIB, MIB],
  ] as const) {
    host.register('web', lines(net, disk));
    assert.equal((await host.init('reload', 'web')).code, 0);
    keeps('sent', await sent(t, guest, 4 * netBytes), netBytes);
    keeps('received', await received(t, guest, 4 * netBytes), netBytes);
    keeps('read', await read(guest, 4 * diskBytes), diskBytes);
  }
  const [row] = parseJson(await host.init('diff', 'web', '--json')) as { readonly differences: unknown }[];
  assert.deepEqual(row?.differences, []);
  assert.equal((await host.init('stop', 'web', '--force')).code, 0);
});

/** After a pause, what a second and a tenth let through may come at once, or a quarter of a MiB in place of the tenth. */
function keeps(what: string, { bytes, seconds }: Carried, rate: number): void {
  const atOnce = rate + Math.max(256 * KIB, rate / 10);
  const most = rate * seconds + atOnce;
  assert.ok(bytes <= 1.02 * most, `${what} ${bytes} bytes in ${seconds} s at ${rate} bytes a second`);
}

/** What arrives from the guest. */
async function sent(t: TestContext, guest: Guest, bytes: number): Promise<Carried> {
  let [count, began, ended] = [0, 0, 0];
  const server = createServer((socket) => {
    began = performance.now();
    socket.on('error', () => {});
    socket.on('data', (data) => {
      count += data.length;
      ended = performance.now();
    });
  }).listen(5001, '192.0.2.1');
  t.after(() => void server.close());
  await once(server, 'listening');
  await guest.sh(`head -c ${bytes} /dev/zero | nc -w 100 192.0.2.1 5001`, 120_000);
  await until('all has arrived', () => count === bytes);
  server.close();
  return { bytes, seconds: (ended - began) / 1000 };
}

/** What the guest gets. */
async function received(t: TestContext, guest: Guest, bytes: number): Promise<Carried> {
  let began = 0;
  const server = createServer((socket) => {
    began = performance.now();
    socket
      .on('error', () => {})
      .resume()
      .end(Buffer.alloc(bytes));
  }).listen(5002, '192.0.2.1');
  t.after(() => void server.close());
  await once(server, 'listening');
  // The kernel of the host has taken all long before the guest has it.
  assert.equal((await guest.sh('nc 192.0.2.1 5002 </dev/null | wc -c', 120_000)).trim(), String(bytes));
  server.close();
  return { bytes, seconds: (performance.now() - began) / 1000 };
}

/** What the guest reads from its disk. */
async function read(guest: Guest, bytes: number): Promise<Carried> {
  await guest.sh('echo 3 >/proc/sys/vm/drop_caches');
  const began = performance.now();
  await guest.sh(`head -c ${bytes} /dev/vda >/dev/null`, 120_000);
  return { bytes, seconds: (performance.now() - began) / 1000 };
}
