import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkNetworkFindings, networkObstacles } from '../../../src/network/check/check-network.ts';
import { type CheckedNic, type NetworkFacts, readStartFacts } from '../../../src/network/check/network-facts.ts';

const nic: CheckedNic = {
  machine: 'web',
  index: 1,
  tap: 'web.1',
  mac: 'DE:AD:BE:EF:00:01',
  net: 'bridge',
  bridge: 'br0',
  vlan: undefined,
  mtu: undefined,
  lock: false,
  runAs: undefined,
};
const br0 = { name: 'br0', state: 'up', vlanAware: false, mtu: 1500 } as const;
const good: NetworkFacts = {
  tunDevice: 'open to all',
  hasNetAdmin: true,
  programs: new Set(['ip', 'bridge', 'nft', 'passt']),
  bridges: [br0],
  filteredBridging: [],
  unusedTaps: [],
  foreignTaps: [],
  learned: [],
};

function titles(facts: Partial<NetworkFacts>, nics: readonly Partial<CheckedNic>[] = [{}]): string[] {
  return checkNetworkFindings(
    nics.map((each) => ({ ...nic, ...each })),
    { ...good, ...facts },
  ).map(({ severity, message }) => `${severity}: ${message}`);
}

test('a good host has no finding', () => {
  assert.deepEqual(titles({}), []);
});

test('a host whose machines need no bridge needs nothing for one', () => {
  const bare = {
    tunDevice: 'missing',
    hasNetAdmin: false,
    programs: new Set<string>(),
    bridges: [],
    filteredBridging: ['ipv4'],
  } as const;
  assert.deepEqual(titles(bare, [{ net: 'user', lock: true, vlan: 10 }]), []);
  assert.deepEqual(titles(bare, []), []);
});

test('programs are missed only where a NIC needs them', () => {
  const programs = new Set(['ip']);
  assert.deepEqual(titles({ programs }), []);
  assert.deepEqual(
    titles({ programs, bridges: [{ ...br0, vlanAware: true }] }, [
      { vlan: 10, lock: true },
      { mac: 'x', net: 'passt' },
    ]),
    ['error: Program "bridge" is missing', 'error: Program "nft" is missing', 'error: Program "passt" is missing'],
  );
});

test('/dev/net/tun has to be there, and open to the user that QEMU runs as', () => {
  assert.deepEqual(titles({ tunDevice: 'missing' }), ['error: There is no /dev/net/tun']);
  assert.deepEqual(titles({ tunDevice: 'restricted' }), []);
  assert.deepEqual(titles({ tunDevice: 'restricted' }, [{ runAs: 'qemu' }]), [
    'error: Only root may open /dev/net/tun',
  ]);
});

test('without rights the network cannot be changed', () => {
  assert.deepEqual(titles({ hasNetAdmin: false }), ['warning: No right to change the network']);
});

test('a firewall that drops bridged frames is told with the way out for each family', () => {
  const findings = checkNetworkFindings([nic], { ...good, filteredBridging: ['ipv4', 'ipv6'] });
  assert.deepEqual(
    findings.map(({ hint }) => hint?.split(',')[0]),
    ['sysctl net.bridge.bridge-nf-call-iptables=0', 'sysctl net.bridge.bridge-nf-call-ip6tables=0'],
  );
});

test('what is wrong with a bridge is told with its users', () => {
  assert.deepEqual(titles({ bridges: [{ ...br0, state: 'missing' }] }), ['error: Bridge "br0" does not exist']);
  assert.deepEqual(titles({ bridges: [{ ...br0, state: 'no bridge' }] }), ['error: "br0" is not a bridge']);
  assert.deepEqual(titles({ bridges: [{ ...br0, state: 'down' }] }), ['error: Bridge "br0" is down']);
  assert.deepEqual(titles({}, [{ vlan: 10 }]), ['error: Bridge "br0" has VLAN filtering switched off']);
  assert.deepEqual(titles({}, [{ mtu: 9000 }]), ['warning: Bridge "br0" has a smaller MTU than its guests']);
  const [finding] = checkNetworkFindings([nic], { ...good, bridges: [{ ...br0, state: 'missing' }] });
  assert.deepEqual(
    [finding?.detail, finding?.hint],
    ['it is the bridge of NIC1 of "web"', 'qemu-netif bridge add br0'],
  );
});

test('addresses and names that others have are told', () => {
  assert.deepEqual(titles({}, [{}, { machine: 'db' }]), ['error: Address DE:AD:BE:EF:00:01 is used more than once']);
  assert.deepEqual(titles({ foreignTaps: ['web.1'] }), ['error: Interface "web.1" belongs to another program']);
  const learned = (port: string, bridge = 'br0') => titles({ learned: [{ mac: nic.mac, port, bridge }] });
  assert.deepEqual(learned('eth0'), ['error: Address DE:AD:BE:EF:00:01 is also used outside']);
  assert.deepEqual(learned('web.1'), []);
  assert.deepEqual(learned('eth0', 'br1'), []);
});

test('taps that nobody uses are told', () => {
  assert.deepEqual(titles({ unusedTaps: [{ tap: 'db.1', machine: 'db' }] }), ['warning: Tap "db.1" is left over']);
});

test('only what a start would fail by is in the way of it', () => {
  const none = { ...good, unusedTaps: [{ tap: 'db.1', machine: 'db' }], filteredBridging: ['ipv4'] } as const;
  const known = [{ mac: nic.mac, port: 'eth0', bridge: 'br0' }];
  const seen: NetworkFacts = { ...none, learned: known, hasNetAdmin: false };
  assert.deepEqual(networkObstacles([nic], seen), []);
  const bad = {
    ...none,
    tunDevice: 'missing',
    bridges: [{ ...br0, state: 'missing' }],
    programs: new Set(['nft']),
  } as const;
  assert.deepEqual(
    networkObstacles([nic], bad).map(({ message }) => message),
    ['Program "ip" is missing', 'There is no /dev/net/tun', 'Bridge "br0" does not exist'],
  );
  // Taps join a bridge that is down; one without VLANs is refused in either state.
  const down = [{ ...br0, state: 'down' }] as const;
  assert.deepEqual(networkObstacles([nic], { ...none, bridges: down }), []);
  assert.deepEqual(
    networkObstacles([{ ...nic, vlan: 10 }], { ...none, bridges: down }).map(({ message }) => message),
    ['Bridge "br0" has VLAN filtering switched off'],
  );
  assert.deepEqual(networkObstacles([{ ...nic, net: 'user' }], { ...bad, bridges: [] }), []);
});

test('where a script of the administrator joins the taps, only the taps themselves can be missing', () => {
  const foreign = { ...nic, bridge: 'ovs0', vlan: 10, lock: true, isForeign: true };
  const bare = { ...good, programs: new Set<string>(), bridges: [] };
  assert.deepEqual(networkObstacles([foreign], bare), []);
  assert.deepEqual(checkNetworkFindings([foreign], bare), []);
  assert.deepEqual(
    networkObstacles([foreign], { ...bare, tunDevice: 'missing' }).map(({ message }) => message),
    ['There is no /dev/net/tun'],
  );
  assert.deepEqual(
    networkObstacles([foreign, { ...nic, rate: 1000 }], bare).map(({ message }) => message),
    ['Program "ip" is missing', 'Program "nft" is missing'],
  );
  assert.deepEqual(readStartFacts([foreign]).bridges, []);
  assert.deepEqual(
    readStartFacts([{ ...nic, bridge: 'nobr0' }]).bridges.map(({ state }) => state),
    ['missing'],
  );
});
