import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type InterfaceState,
  parseBridgeAlias,
  planBridgeAdd,
  planBridgeDelete,
} from '../../../src/network/bridges/bridge-plan.ts';

const MAC = '02:00:00:00:00:01';
const wish = { name: 'br0', addresses: [], vlanAware: false };
const plain: InterfaceState = {
  name: 'br0',
  isBridge: true,
  isWireless: false,
  isUp: true,
  isLoopback: false,
  vlanAware: false,
  mac: MAC,
  mtu: 1500,
  alias: 'qemu-netif',
  master: undefined,
  ports: [],
  addresses: [],
  routes: [],
};
const eth0: InterfaceState = {
  ...plain,
  name: 'eth0',
  isBridge: false,
  alias: '',
  mac: '52:54:00:00:00:01',
  mtu: 9000,
  addresses: [{ address: '192.0.2.2/24', options: 'broadcast 192.0.2.255' }],
  routes: [
    { destination: '203.0.113.1/32', options: 'scope link' },
    { destination: '0.0.0.0/0', options: 'via 203.0.113.1' },
  ],
};

test('a bridge from nothing gets an address that does not change', () => {
  assert.deepEqual(
    planBridgeAdd({ ...wish, addresses: ['192.0.2.1/24'], vlanAware: true }, undefined, undefined, MAC),
    {
      lines: [
        `link add name br0 address ${MAC} mtu 1500 type bridge vlan_filtering 1`,
        'link set dev br0 up',
        'link set dev br0 alias qemu-netif',
        'address add 192.0.2.1/24 dev br0',
      ],
      undo: ['link delete dev br0'],
    },
  );
});

test('an uplink lends its address and MTU, and hands over what it has, the last first', () => {
  assert.deepEqual(planBridgeAdd({ ...wish, uplink: 'eth0' }, undefined, eth0, MAC).lines, [
    'link add name br0 address 52:54:00:00:00:01 mtu 9000 type bridge',
    'link set dev br0 up',
    'link set dev br0 alias qemu-netif:eth0',
    'link set dev eth0 master br0 up',
    'route delete 0.0.0.0/0 dev eth0 via 203.0.113.1',
    'route delete 203.0.113.1/32 dev eth0 scope link',
    'address delete 192.0.2.2/24 dev eth0',
    'address add 192.0.2.2/24 dev br0 broadcast 192.0.2.255',
    'route add 203.0.113.1/32 dev br0 scope link',
    'route add 0.0.0.0/0 dev br0 via 203.0.113.1',
  ]);
});

test('a bridge that has all already is left alone', () => {
  const bridge = { ...plain, addresses: [{ address: '192.0.2.1/24', options: '' }], ports: ['eth0'] };
  const port = { ...eth0, master: 'br0', addresses: [], routes: [] };
  const all = { ...wish, uplink: 'eth0', addresses: ['192.0.2.1/24'], mtu: 1500 };
  assert.deepEqual(planBridgeAdd(all, bridge, port, MAC).lines, []);
});

test("another's bridge is completed without becoming ours", () => {
  const bridge = { ...plain, alias: '', isUp: false };
  assert.deepEqual(planBridgeAdd({ ...wish, mtu: 1400, vlanAware: true }, bridge, undefined, MAC).lines, [
    'link set dev br0 mtu 1400',
    'link set dev br0 type bridge vlan_filtering 1',
    'link set dev br0 up',
  ]);
  assert.deepEqual(planBridgeAdd({ ...wish, uplink: 'eth0' }, bridge, eth0, MAC).lines.slice(0, 2), [
    'link set dev br0 up',
    'link set dev eth0 master br0 up',
  ]);
});

test('a wireless uplink is refused with the ways out', () => {
  assert.throws(() => planBridgeAdd({ ...wish, uplink: 'eth0' }, undefined, { ...eth0, isWireless: true }, MAC), {
    message: 'Cannot use "eth0" as uplink of bridge "br0": a wireless interface cannot be a bridge port',
    hint: 'use net=user or net=passt',
  });
});

test('an uplink that has left the bridge by itself gets nothing back', () => {
  assert.deepEqual(planBridgeDelete({ ...plain, alias: 'qemu-netif:eth0' }).lines, ['link delete dev br0']);
});

test('only the alias of qemu-netif makes a bridge ours', () => {
  assert.deepEqual(parseBridgeAlias('qemu-netif'), { uplink: undefined });
  assert.deepEqual(parseBridgeAlias('qemu-netif:eth0.10'), { uplink: 'eth0.10' });
  for (const alias of ['', 'qemu-netif:', 'my qemu-netif', 'qemu-init:0:web'])
    assert.equal(parseBridgeAlias(alias), undefined);
});
