import assert from 'node:assert/strict';
import { chownSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';
import { parseJson } from '../support/cli.ts';
import { assertDocument } from '../support/documents.ts';
import { type Host, linuxHost } from './machines.ts';
import { enterOwnNamespace } from './own-namespace.ts';
import { clearNetwork, makeBridge, sh } from './shell.ts';

await enterOwnNamespace();
beforeEach(clearNetwork);

const NOBODY = 65_534;

test('with RUNAS and SANDBOX cards and disks are plugged in with packets and data, move to another bridge, and go without a trace', async (t) => {
  const host = linuxHost(t);
  for (const [bridge, address] of [
    ['br0', '192.0.2.1/24'],
    ['br1', '198.51.100.1/24'],
  ] as const) {
    makeBridge(bridge);
    sh('ip', 'address', 'add', address, 'dev', bridge);
  }
  const image = join(host.etcDir, 'data.img');
  writeFileSync(image, new Uint8Array(4 * 1024 ** 2), { mode: 0o600 });
  chownSync(image, NOBODY, NOBODY);
  writeFileSync(join(host.etcDir, 'mine.img'), new Uint8Array(1024 ** 2), { mode: 0o600 });
  const fixed = ['NETIF=managed', 'RUNAS=nobody', 'SANDBOX=on'];
  host.register('web', fixed);
  const [guest] = await host.start('web');
  assert.ok(guest);

  host.register('web', [...fixed, 'NIC1=virtio', `DSK1=${image}`]);
  assert.deepEqual(await applied(host), ['DSK1', 'NIC1']);
  await guest.sh('for i in $(seq 50); do [ -e /sys/class/net/eth0 ] && [ -e /dev/vda ] && break; sleep 0.1; done');
  await guest.sh('ip link set eth0 up; ip address add 192.0.2.5/24 dev eth0; ping -c 1 -w 30 192.0.2.1');
  await guest.sh('echo written by the guest | dd of=/dev/vda bs=512 conv=sync,fsync');
  assert.match(readFileSync(image, 'latin1').slice(0, 64), /^written by the guest/);

  host.register('web', [...fixed, 'NIC1=virtio,bridge=br1,isolated=on', `DSK1=${image}`]);
  assert.deepEqual(await applied(host), ['NIC1']);
  await guest.sh('ip address add 198.51.100.5/24 dev eth0; ping -c 1 -w 30 198.51.100.1');
  assert.equal(await guest.succeeds('ping -c 1 -w 1 192.0.2.1'), false);
  assert.match(sh('bridge', '-d', 'link', 'show', 'dev', 'web.1'), /master br1 .*isolated on/s);

  host.register('web', [...fixed, 'NIC1=virtio,bridge=br1,isolated=on,rate=1M', `DSK1=${image}`]);
  assert.deepEqual(await applied(host), ['NIC1']);
  assert.match(sh('nft', 'list', 'ruleset'), /hook ingress.*limit rate over 1 mbytes.*hook egress.*limit rate over/s);
  await guest.sh('ping -c 1 -w 30 198.51.100.1');
  host.register('web', [...fixed, 'NIC1=virtio,bridge=br1,isolated=on', `DSK1=${image}`]);
  assert.deepEqual(await applied(host), ['NIC1']);
  assert.equal(sh('nft', 'list', 'ruleset'), '');

  // QEMU's user has no right to it: nothing is left of the attempt.
  host.register('web', [...fixed, 'NIC1=virtio,bridge=br1,isolated=on', `DSK1=${image}`, 'DSK2=mine.img']);
  const refused = await host.init('reload', 'web');
  assert.equal(refused.code, 1, refused.stderr);
  assert.match(refused.stderr, /mine\.img/);
  host.register('web', [...fixed, 'NIC1=virtio,bridge=br1,isolated=on', `DSK1=${image}`]);
  assert.deepEqual(await applied(host), []);

  host.register('web', fixed);
  assert.deepEqual(await applied(host), ['DSK1', 'NIC1']);
  assert.equal(await guest.succeeds('[ -e /dev/vda ] || [ -e /sys/class/net/eth0 ]'), false);
  assert.equal(existsSync('/sys/class/net/web.1'), false);
  assert.equal(sh('bridge', 'link', 'show').trim(), '');
  assert.equal((await host.init('stop', 'web', '--force')).code, 0);
});

async function applied(host: Host): Promise<unknown> {
  const document = parseJson(await host.init('reload', 'web', '--json'));
  assertDocument(document, 'reload');
  assert.ok(Array.isArray(document));
  assert.ok(document[0]?.applied, JSON.stringify(document));
  return document[0].applied;
}
