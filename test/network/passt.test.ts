import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { NicConfig } from '../../src/config/device-config.ts';
import { startPassts } from '../../src/network/passt.ts';
import { runCli } from '../support/cli.ts';
import { type Cleanup, tempDir } from '../support/temp-root.ts';
import { fetchPatiently } from './fetch.ts';
import { linuxHost } from './machines.ts';
import { enterOwnNamespace } from './own-namespace.ts';
import { clearNetwork, isRunningHere, sh } from './shell.ts';

await enterOwnNamespace();
beforeEach(() => {
  clearNetwork();
  // passt gives the guest what the interface of the default route has.
  sh('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'far');
  for (const name of ['eth0', 'far']) sh('ip', 'link', 'set', name, 'up');
  sh('ip', 'address', 'add', '192.0.2.2/24', 'dev', 'eth0');
  sh('ip', 'route', 'add', 'default', 'via', '192.0.2.1');
  sh('ip', 'address', 'add', '2001:db8::2/64', 'nodad', 'dev', 'eth0');
  sh('ip', '-6', 'route', 'add', 'default', 'via', '2001:db8::1', 'dev', 'eth0');
});

const FORWARDS = 'hostfwd=tcp:127.0.0.1:8080-:80,hostfwd=tcp:[::1]:8081-:80';

const forward = { protocol: 'tcp', guestAddress: '', guestPort: 80 } as const;
const nic: NicConfig = {
  index: 1,
  model: 'virtio-net-pci',
  net: 'passt',
  bridge: 'br0',
  mac: undefined,
  hostForwards: [
    { ...forward, hostAddress: '127.0.0.1', hostPort: 8080 },
    { ...forward, hostAddress: '::1', hostPort: 8081 },
  ],
  vlan: undefined,
  queues: undefined,
  mtu: undefined,
  isolated: false,
  lock: false,
  addresses: [],
};

async function start(t: Cleanup): ReturnType<typeof startPassts> {
  const dir = tempDir(t);
  const sockets = await startPassts([nic], { logPath: join(dir, 'log'), cwd: dir });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  return sockets;
}

async function untilPasstHasEnded(): Promise<void> {
  while (isRunningHere('passt') || isRunningHere('passt.avx2')) await delay(20);
}

for (const [how, lines] of [
  ['', []],
  [' with RUNAS and SANDBOX', ['NETIF=managed', 'RUNAS=nobody', 'SANDBOX=on']],
] as const) {
  test(`net=passt${how} reaches a server in the guest over IPv4 and IPv6, and leaves nothing`, async (t) => {
    const host = linuxHost(t);
    host.register('web', [`NIC1=virtio-net-pci,net=passt,${FORWARDS}`, ...lines]);
    const [web] = await host.start('web');
    assert.ok(web);
    await web.sh('mkdir /www; echo hello >/www/index.html; httpd -h /www');
    assert.equal(await fetchPatiently('127.0.0.1', 8080), 'hello\n');
    assert.equal(await fetchPatiently('::1', 8081), 'hello\n');
    assert.equal((await host.init('stop', 'web')).code, 0);
    await untilPasstHasEnded();
  });
}

test('passt ends with a QEMU that is killed, and with a start that fails', async (t) => {
  const host = linuxHost(t);
  host.register('web', [`NIC1=virtio-net-pci,net=passt,${FORWARDS}`, 'NIC2=virtio-net-pci,net=passt']);
  for (let round = 0; round < 2; round++) {
    assert.equal((await host.init('start', 'web')).code, 0);
    assert.equal((await host.init('kill', 'web')).code, 0);
    await untilPasstHasEnded();
  }
  host.register('bad', ['NIC1=virtio-net-pci,net=passt', '[custom]', '-device no-such-device']);
  assert.equal((await host.init('start', 'bad')).code, 1);
  await untilPasstHasEnded();
});

test('showcmd has the descriptor of each passt, and check says when the program is missing', async (t) => {
  const host = linuxHost(t);
  host.register('web', ['NIC1=virtio-net-pci,net=passt', 'NIC2=e1000,net=user', 'NIC3=virtio-net-pci,net=passt']);
  const { stdout } = await host.init('showcmd', 'web');
  assert.deepEqual(
    [...stdout.matchAll(/stream,id=(net\d),server=off,addr\.type=fd,addr\.str=(\d)/g)].map(([, id, fd]) => [id, fd]),
    [
      ['net0', '3'],
      ['net2', '4'],
    ],
  );
  const { code, stderr } = await runCli('qemu-init', ['check', 'web'], { root: host.dir, env: { PATH: '/nowhere' } });
  assert.equal(code, 6);
  assert.match(stderr, /NIC1 has net=passt, but passt is not installed/);
});

test('passt is not root, and ends when its starter is gone before there is a QEMU', async (t) => {
  const [socket] = await start(t);
  const pid = sh('pidof', 'passt', 'passt.avx2').trim();
  assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /^Uid:\t65534\t65534/m);
  socket?.destroy();
  await untilPasstHasEnded();
});

test('a port that is taken makes the start fail', async (t) => {
  const server = createServer().listen(8080, '127.0.0.1');
  t.after(() => {
    server.close();
  });
  await once(server, 'listening');
  await assert.rejects(start(t), (error: Error & { code: string }) => {
    assert.deepEqual([error.code, error.message], ['QEMU_LAUNCH_FAILED', 'Program "passt" ended with status 1']);
    assert.match(String(error.cause), /127\.0\.0\.1\/8080/);
    return true;
  });
  await untilPasstHasEnded();
});
