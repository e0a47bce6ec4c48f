import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NicConfig } from '../../../src/config/device-config.ts';
import { type NetdevContext, netdevArguments, nicDeviceProperties } from '../../../src/machine/argv/netdev.ts';
import { renderOption } from '../../../src/machine/argv/render/argv.ts';
import { passtArguments, passtFd } from '../../../src/network/passt.ts';

const nic: NicConfig = {
  index: 1,
  model: 'virtio-net-pci',
  net: 'bridge',
  bridge: 'br0',
  mac: undefined,
  hostForwards: [],
  vlan: undefined,
  queues: undefined,
  mtu: undefined,
  isolated: false,
  lock: false,
  addresses: [],
};
const hook = {
  tap: 'web.1',
  netif: 'hook',
  upHook: '/etc/qemu/qemu-brup',
  downHook: '/etc/qemu/qemu-brdown',
  vhost: false,
} as const;
const managed = { ...hook, netif: 'managed' } as const;
const ssh = { protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 2222, guestAddress: '', guestPort: 22 } as const;
const dns = { protocol: 'udp', hostAddress: '', hostPort: 5353, guestAddress: '10.0.2.15', guestPort: 53 } as const;

test('NETIF=hook begins as the internals page documents it', () => {
  assert.equal(
    netdevArgument(nic, hook),
    'tap,id=net0,script=/etc/qemu/qemu-brup,downscript=/etc/qemu/qemu-brdown,ifname=web.1',
  );
});

test('NETIF=managed runs no script', () => {
  assert.equal(
    netdevArgument({ ...nic, index: 2 }, { ...managed, tap: 'web.2' }),
    'tap,id=net1,ifname=web.2,script=no,downscript=no',
  );
});

test('a comma in the path of a hook is doubled', () => {
  assert.match(netdevArgument(nic, { ...hook, upHook: '/a,b' }) ?? '', /script=\/a,,b,/);
});

test('vhost and queues are for virtio-net alone', () => {
  const context = { ...managed, vhost: true };
  assert.match(netdevArgument({ ...nic, queues: 4 }, context) ?? '', /,vhost=on,queues=4$/);
  assert.match(netdevArgument({ ...nic, queues: 4, model: 'e1000' }, context) ?? '', /,downscript=no$/);
  assert.deepEqual(nicDeviceProperties({ ...nic, queues: 4, mtu: 9000 }), { mq: true, vectors: 10, host_mtu: 9000 });
  assert.deepEqual(nicDeviceProperties({ ...nic, queues: 1 }), { host_mtu: undefined });
  assert.deepEqual(nicDeviceProperties({ ...nic, queues: 4, mtu: 9000, model: 'e1000' }), {});
});

test('net=user forwards TCP and UDP', () => {
  assert.equal(
    netdevArgument({ ...nic, net: 'user', hostForwards: [ssh, dns] }, managed),
    'user,id=net0,hostfwd=tcp:127.0.0.1:2222-:22,hostfwd=udp::5353-10.0.2.15:53',
  );
});

test('net=none has no netdev', () => {
  assert.equal(netdevArgument({ ...nic, net: 'none' }, managed), undefined);
});

test('net=passt uses the socket that QEMU inherits', () => {
  assert.equal(
    netdevArgument({ ...nic, net: 'passt' }, { ...managed, passtFd: 5 }),
    'stream,id=net0,server=off,addr.type=fd,addr.str=5',
  );
});

test('passt forwards TCP and UDP, IPv4 and IPv6, and else nothing', () => {
  const forwards = [ssh, { ...ssh, hostAddress: '::1' }, { ...dns, guestAddress: '' }];
  assert.deepEqual(passtArguments({ ...nic, hostForwards: forwards }, 'qemu').slice(5), [
    '--runas',
    'qemu',
    '--tcp-ports',
    '127.0.0.1/2222:22',
    '--tcp-ports',
    '::1/2222:22',
    '--udp-ports',
    '5353:53',
  ]);
  assert.deepEqual(passtArguments(nic, undefined).slice(5), ['--tcp-ports', 'none', '--udp-ports', 'none']);
});

test('each passt has a file descriptor of QEMU, in the order of the NICs', () => {
  const nics = (['passt', 'user', 'passt'] as const).map((net, position) => ({ ...nic, net, index: position + 1 }));
  assert.deepEqual(
    nics.map((each) => passtFd(nics, each)),
    [3, undefined, 4],
  );
});

/** The value of `-netdev`. */
function netdevArgument(of: NicConfig, context: NetdevContext): string | undefined {
  const netdev = netdevArguments(of, context);
  return netdev && renderOption({ kind: 'netdev', key: '', arguments: netdev }).args[1];
}
