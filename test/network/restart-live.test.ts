import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { linuxHost } from './machines.ts';
import { enterOwnNamespace } from './own-namespace.ts';
import { clearNetwork, linkNames, links, makeBridge, sh } from './shell.ts';

await enterOwnNamespace();
beforeEach(clearNetwork);

for (const [what, lines] of [
  ['NETIF=hook', []],
  ['NETIF=managed with RUNAS and SANDBOX', ['NETIF=managed', 'RUNAS=nobody', 'SANDBOX=on']],
] as const) {
  test(`${what}: a guest keeps its network when its machine restarts live, and no tap is left`, async (t) => {
    const host = linuxHost(t);
    makeBridge('br0');
    sh('ip', 'address', 'add', '192.0.2.1/24', 'dev', 'br0');
    host.register('web', ['NIC1=virtio-net-pci', ...lines]);
    const [guest] = await host.start('web');
    assert.ok(guest);
    await guest.sh('ip address add 192.0.2.10/24 dev eth0; ip link set eth0 up');
    await guest.sh('ping -c 1 -w 30 192.0.2.1');
    const { code, stderr } = await host.init('restart', '--live', 'web');
    assert.equal(code, 0, stderr);
    assert.deepEqual(linkNames(), ['br0', 'web.1']);
    assert.equal(links().get('web.1')?.master, 'br0');
    sh('busybox', 'ping', '-c', '1', '-w', '30', '192.0.2.10');
    const [again] = await host.open('web');
    await again?.sh('ping -c 1 -w 30 192.0.2.1');
    assert.equal((await host.init('stop', '--force', 'web')).code, 0);
    assert.deepEqual(linkNames(), ['br0']);
  });
}
