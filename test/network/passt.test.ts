import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { NicConfig } from '../../src/config/types.ts';
import { netdevArgument } from '../../src/network/netdev.ts';
import { passtFd, startPassts } from '../../src/network/passt.ts';
import { linuxGuest } from '../support/linux-guest.ts';
import { type Cleanup, tempDir } from '../support/temp-root.ts';
import { fetchPatiently } from './fetch.ts';
import { openGuest } from './machines.ts';
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

test('net=passt reaches a server in the guest over IPv4 and IPv6, and passt ends when QEMU is killed', async (t) => {
  const dir = tempDir(t);
  const sockets = await start(t);
  const { kernel, initrd, append } = linuxGuest(dir);
  const context = {
    tap: '',
    netif: 'managed',
    upHook: '',
    downHook: '',
    vhost: false,
    passtFd: passtFd([nic], nic),
  } as const;
  const netdev = netdevArgument(nic, context) ?? '';
  const qemu = spawn(
    'qemu-system-x86_64',
    [
      ...[
        '-nodefaults',
        '-no-user-config',
        '-machine',
        'q35',
        '-accel',
        'tcg',
        '-cpu',
        'max',
        '-m',
        '256',
        '-display',
        'none',
      ],
      ...['-kernel', kernel, '-initrd', initrd, '-append', append, '-serial', `unix:${dir}/console,server=on,wait=off`],
      ...['-netdev', netdev, '-device', 'virtio-net-pci,netdev=net0'],
    ],
    { stdio: ['ignore', 'inherit', 'inherit', ...sockets] },
  );
  t.after(() => qemu.kill('SIGKILL'));
  for (const socket of sockets) socket.destroy();
  while (!existsSync(`${dir}/console`)) await delay(20);

  const guest = await openGuest(t, 'guest', `${dir}/console`);
  await guest.sh('mkdir /www; echo hello >/www/index.html; httpd -h /www');
  assert.equal(await fetchPatiently('127.0.0.1', 8080), 'hello\n');
  assert.equal(await fetchPatiently('::1', 8081), 'hello\n');
  qemu.kill('SIGKILL');
  await untilPasstHasEnded();
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
