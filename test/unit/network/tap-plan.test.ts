import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BridgeFacts } from '../../../src/network/sysfs.ts';
import { planJoin, planRemoval, planTaps } from '../../../src/network/taps/tap-plan.ts';
import type { TapSpec } from '../../../src/network/taps/tap-spec.ts';

const plain: TapSpec = {
  tap: 'web.1',
  machine: 'web',
  index: 1,
  bridge: 'br0',
  mac: 'DE:AD:BE:EF:00:01',
  queues: 1,
  isolated: false,
  lock: false,
  addresses: [],
};
const br0: BridgeFacts = { name: 'br0', mtu: 1500, vlanFiltering: false, defaultPvid: 1 };
const vlans: BridgeFacts = { ...br0, name: 'br1', vlanFiltering: true };
const facts = {
  bridges: new Map([br0, vlans].map((bridge) => [bridge.name, bridge])),
  leftovers: new Set<string>(),
  scope: '01234567',
  ipv6: true,
};

function ipLines(wish: Partial<TapSpec>, more: object = {}): string[] {
  return planTaps([{ ...plain, ...wish }], { ...facts, ...more }).ip.map(({ line }) => line);
}

test('a tap is made, marked as ours, joined and set up', () => {
  assert.deepEqual(planTaps([plain], facts), {
    ip: [
      { tap: 'web.1', line: 'tuntap add dev web.1 mode tap' },
      {
        tap: 'web.1',
        line: 'link set dev web.1 alias qemu-init:01234567:web address fe:ad:be:ef:00:01 mtu 1500 addrgenmode none master br0',
      },
      { tap: 'web.1', line: 'link set dev web.1 up' },
    ],
    bridge: [],
    nft: '',
  });
});

test('the tap belongs to the user that QEMU runs as', () => {
  assert.equal(ipLines({}, { user: 'qemu' })[0], 'tuntap add dev web.1 mode tap user qemu');
});

test('a NIC with several queues gets a tap with several queues, and no other does', () => {
  assert.equal(ipLines({ queues: 4 })[0], 'tuntap add dev web.1 mode tap multi_queue');
});

test('the MTU is that of the bridge unless one is asked for', () => {
  const jumbo = { bridges: new Map([['br0', { ...br0, mtu: 9000 }]]) };
  assert.match(ipLines({}, jumbo)[1] ?? '', / mtu 9000 /);
  assert.match(ipLines({ mtu: 1400 }, jumbo)[1] ?? '', / mtu 1400 /);
});

test('an isolated port is isolated in the same call', () => {
  assert.equal(ipLines({ isolated: true })[2], 'link set dev web.1 type bridge_slave isolated on');
});

test('a host without IPv6 is not asked about it', () => {
  assert.doesNotMatch(ipLines({}, { ipv6: false })[1] ?? '', /addrgenmode/);
});

test('what an earlier run has left is removed first', () => {
  assert.equal(ipLines({}, { leftovers: new Set(['web.1']) })[0], 'link delete dev web.1');
});

test('a port in a VLAN leaves the default one', () => {
  const lines = (wish: Partial<TapSpec>, bridge = vlans) =>
    planTaps([{ ...plain, bridge: 'br1', ...wish }], { ...facts, bridges: new Map([['br1', bridge]]) }).bridge.map(
      ({ line }) => line,
    );
  assert.deepEqual(lines({ vlan: 10 }), ['vlan del dev web.1 vid 1', 'vlan add dev web.1 vid 10 pvid untagged']);
  assert.deepEqual(lines({ vlan: 10 }, { ...vlans, defaultPvid: 0 }), ['vlan add dev web.1 vid 10 pvid untagged']);
  assert.deepEqual(lines({ vlan: 1 }), []);
  assert.deepEqual(lines({}), []);
});

test('a VLAN on a bridge that knows none is refused, naming both', () => {
  assert.throws(() => planTaps([{ ...plain, vlan: 10 }], facts), {
    code: 'QEMU_COMMAND_FAILED',
    message: 'Cannot put tap "web.1" into VLAN 10: bridge "br0" has VLAN filtering switched off',
  });
});

test('a missing bridge is named, with the command that makes it', () => {
  assert.throws(() => planTaps([plain, { ...plain, tap: 'web.2', bridge: 'br9' }], facts), {
    code: 'QEMU_COMMAND_FAILED',
    message: 'Cannot attach tap "web.2": bridge "br9" does not exist',
    hint: 'make it with: qemu-netif bridge add br9',
  });
});

test('a tap that QEMU has made is only joined', () => {
  const { ip } = planJoin(plain, { bridges: facts.bridges, ipv6: true });
  assert.deepEqual(
    ip.map(({ line }) => line),
    ['link set dev web.1 address fe:ad:be:ef:00:01 mtu 1500 addrgenmode none master br0', 'link set dev web.1 up'],
  );
});

test('only what exists is removed, and only the rules of locked taps', () => {
  const plan = planRemoval([
    { tap: 'web.1', exists: true, locked: false },
    { tap: 'web.2', exists: false, locked: true },
  ]);
  assert.deepEqual(plan.ip, [{ tap: 'web.1', line: 'link delete dev web.1' }]);
  assert.equal(plan.nft, 'add table netdev qemu-init.web.2\ndelete table netdev qemu-init.web.2\n');
});
